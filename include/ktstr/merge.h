/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * merge.h - one report of the run folders of many shards.
 *
 * Format of the files: docs/format/results.md.
 */
#ifndef KTSTR_MERGE_H
#define KTSTR_MERGE_H

#include <stdbool.h>
#include <stddef.h>

#include <ktstr/error.h>

struct ktstr_merge_opts {
	const char *const *dirs; /* run folders, in any order */
	size_t nr_dirs;		 /* 1 to 4096 */
	const char *junit_path;	 /* also write JUnit XML there; NULL: no */
	const char *run_dir;	 /* also write a merged results.jsonl there; NULL: no */
	bool json;		 /* JSON lines instead of KTAP */
	const char *color; /* in the summary: "always", "never"; NULL or "auto": on terminals */
};

/**
 * ktstr_merge() - report the results of several run folders as those of one run.
 * @opts:	what to merge and where to
 * @err:	what kept it from reporting at all; may be NULL
 *
 * Each run of each program's whole matrix is reported once, in the order of the matrix: KTAP or
 * JSON lines on standard output, a summary on standard error.  A run without a result is an ERROR.
 * Of several results of one run a finished one counts, and of those the worst verdict.  What is
 * odd - doubles, conflicts, missing shards, killed runners, damaged lines, other kernels - is said
 * at the end.
 *
 * Return: enum ktstr_exit, by the rules of a run; HARNESS also if a file was damaged or missing or
 * if one exact run took two courses, USAGE if folders are not parts of one run.  If nothing was
 * reported, @err says why and its code is negative; else its code is 0.
 */
KTSTR_API int ktstr_merge(const struct ktstr_merge_opts *opts, struct ktstr_error *err);

#endif
