/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* folder.h - the run folder: made once, never overwritten. */
#ifndef KTSTR_RUN_FOLDER_H
#define KTSTR_RUN_FOLDER_H

#include <stdbool.h>

#include "base/strbuf.h"
#include <ktstr/error.h>

#define FOLDER_REMEDY "free space there or choose another place with --run-dir"

/* Makes the folder of one run: @wanted (new or empty), or with NULL
 * $XDG_STATE_HOME/ktstr/runs/YYYYMMDD-HHMMSS-PID.  Return: 0 and its absolute path, malloc'ed;
 * -EEXIST (@wanted has something in it), -errno with a text that names --run-dir. */
int folder_create_run(const char *wanted, char **ret_path,
		      struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Makes a test's folder inside; malloc'ed path. */
int folder_create_test(const char *run_dir, const char *test, char **ret_path,
		       struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Is there no room (left) for files in this folder?  Tries it. */
bool folder_is_full(const char *dir);

/* Adds the remedy to an error that a full disk has caused. */
void folder_explain(struct ktstr_error *err);

enum { FOLDER_RECORDS_KEPT = 16 << 20 };

/* Removes everything in a test's folder but its result, what a replay needs (runrecord.h), and its
 * records if they are not more than FOLDER_RECORDS_KEPT bytes; errors are logged. */
void folder_trim(const char *test_dir);
/* Removes one file of a folder if it is there. */
void folder_remove_file(const char *dir, const char *name);

#endif
