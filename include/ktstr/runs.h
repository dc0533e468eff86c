/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * runs.h - the folders that runs left behind.
 *
 * Each run of a test program or of 'ktstr check' has a folder of its own in $XDG_STATE_HOME/ktstr/runs
 * (docs/format/results.md), named YYYYMMDD-HHMMSS-PID.  Nothing removes them but these calls.  Folders
 * of other names, and those that --run-dir put elsewhere, are left alone.  All calls may run beside
 * tests: a run that is under way is never removed.
 */
#ifndef KTSTR_RUNS_H
#define KTSTR_RUNS_H

#include <stdbool.h>
#include <stdint.h>

#include <ktstr/api.h>
#include <ktstr/error.h>
#include <ktstr/test.h>

enum { KTSTR_RUN_NAME = 64, KTSTR_RUN_PROGRAM = 64 };

/* What runs may take on disk when 'ktstr runs prune' is not told otherwise. */
#define KTSTR_RUNS_MAX_BYTES (4ull << 30)

struct ktstr_run {
	char name[KTSTR_RUN_NAME];	  /* of the folder */
	char program[KTSTR_RUN_PROGRAM];  /* "ktstr check", or a test program's; "": not known */
	int64_t ended_unix_s;		  /* when something was last written */
	uint32_t counts[KTSTR_ERROR + 1]; /* results by verdict */
	uint64_t disk_bytes;		  /* allocated; files that others share do not count */
	bool in_use;			  /* under way */
	bool finished;			  /* it came to its end, interrupted or not */
};

/**
 * ktstr_runs_list() - every run's folder, newest first.
 * @ret_runs:	malloc'ed array, the caller's to free; NULL if there are none
 * @err:	filled on failure; may be NULL
 *
 * What cannot be read of a folder stays empty: it is listed nevertheless.
 *
 * Return: how many, or -errno.
 */
KTSTR_API int ktstr_runs_list(struct ktstr_run **ret_runs,
			      struct ktstr_error *err) KTSTR_MUST_CHECK;

/**
 * ktstr_runs_remove() - delete one run's folder.
 * @name:	as in struct ktstr_run
 * @err:	filled on failure; may be NULL
 *
 * Return: 0, -EINVAL (not the name of a run), -ENOENT, -EBUSY (under way), -errno.
 */
KTSTR_API int ktstr_runs_remove(const char *name, struct ktstr_error *err) KTSTR_MUST_CHECK;

struct ktstr_runs_limits {
	uint64_t max_bytes; /* what all runs may still take */
	uint64_t max_age_s; /* older ones go in any case; 0: age does not matter */
	bool dry;	    /* only say what would go */
};

struct ktstr_runs_pruned {
	uint32_t removed, kept;
	uint64_t freed_bytes, kept_bytes;
};

/**
 * ktstr_runs_prune() - free space: remove the oldest runs.
 * @limits:	what may stay
 * @ret_pruned:	written on success
 * @err:	filled on failure; may be NULL
 *
 * Return: 0 or -errno of the first folder that could not be removed; the others are gone.
 */
KTSTR_API int ktstr_runs_prune(const struct ktstr_runs_limits *limits,
			       struct ktstr_runs_pruned *ret_pruned,
			       struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
