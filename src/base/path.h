/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * path.h - folders this project may write to, and small path work.
 *
 * Folders follow the XDG base directory specification: an unset, empty or relative variable means
 * the default below $HOME; without $HOME, the user's entry in the password database decides.
 */
#ifndef KTSTR_BASE_PATH_H
#define KTSTR_BASE_PATH_H

#include <stdbool.h>
#include <sys/types.h>

#include <ktstr/error.h>

/* $XDG_CACHE_HOME/ktstr or ~/.cache/ktstr; not created.  malloc'ed; NULL and @err on failure. */
char *path_cache_dir(struct ktstr_error *err);
/* $XDG_STATE_HOME/ktstr or ~/.local/state/ktstr; likewise. */
char *path_state_dir(struct ktstr_error *err);

/* printf for paths: malloc'ed, NULL only for lack of memory. */
char *path_format(const char *fmt, ...) KTSTR_PRINTF(1, 2);

/* Creates @path and its missing parents (mode 0777 & ~umask).  0 if it is there already. */
int path_mkdir_all(const char *path, struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Removes a file or a tree without following links or crossing mounts.  0 if it is not there. */
int path_remove_tree(const char *path, struct ktstr_error *err) KTSTR_MUST_CHECK;

/* The part after the last '/'. */
const char *path_base(const char *path);

/* Absolute path of a program: @name as given if it has a '/', else searched in $PATH.
 * malloc'ed; NULL and @err (-ENOENT, -EACCES) if there is none that may be executed. */
char *path_find_program(const char *name, struct ktstr_error *err);

/* Absolute path of the running executable, malloc'ed; NULL and @err on failure. */
char *path_self(struct ktstr_error *err);

bool path_is_dir(const char *path);

#endif
