/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * objects.h - the large files of a run that its tests share, each named by its SHA-256.
 *
 * A name appears when its file is whole, so several workers may add the same content at once.
 */
#ifndef KTSTR_RUN_OBJECTS_H
#define KTSTR_RUN_OBJECTS_H

#include "base/sha256.h"
#include <ktstr/error.h>

/* DIR/SHA256, malloc'ed; NULL for lack of memory. */
char *objects_path(const char *dir, const char *sha256);

/* Moves the file @path, whose hash the caller has computed, into @dir, which is created.  If the
 * object is there already, the file is only removed.  Return: 0 or -errno. */
int objects_move(const char *dir, const char *path, const char *sha256,
		 struct ktstr_error *err) KTSTR_MUST_CHECK;

/* The same, but @path stays: the object is a hard link or a copy. */
int objects_link(const char *dir, const char *path, const char *sha256,
		 struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Reads the object and compares it with its name.  Return: 0, -ENOENT, -EBADMSG (not that content),
 * -errno. */
int objects_check(const char *dir, const char *sha256, struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
