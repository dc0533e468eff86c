/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * check.h - judge a scheduler by a catalogue of scenarios on a set of topologies.
 */
#ifndef KTSTR_CHECK_H
#define KTSTR_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ktstr/api.h>
#include <ktstr/error.h>
#include <ktstr/scenario.h>

enum { KTSTR_CHECK_TOPOLOGIES = 32 };

/* Zero fields are the default.  Lists end with NULL. */
struct ktstr_check_opts {
	/* Options of a test program that hold for all runs, as on its command line: "--mode=exact",
	 * "--seeds=1..9", "--jobs=4", "--kernel=6.12", ...; not -l, -t, --json, --topology. */
	const char *const *run_options;
	const char *const *patterns;   /* of scenarios, as ktstr_catalogue_matches(); NULL: all */
	const char *const *files;      /* scenario files; NULL: the built-in catalogue */
	const char *const *topologies; /* presets, or texts like "1n2l4c1t"; NULL: a small set */
	const struct ktstr_scheduler *scheduler; /* NULL: the kernel's own */
	/* Or a file that describes it: docs/format/scheduler.md; not both. */
	const char *scheduler_file;
	bool variants;		    /* run it with each valid combination of its flags */
	const char *const *kernels; /* each in turn, in place of one in @run_options; NULL: one */
	const char *json_path;	    /* gets every result, a JSON object per line; "-": stdout */
	/* Run the subset that shows most in so much time.  0: everything, if patterns, files, topologies
	 * or @all are given, else 3 minutes. */
	uint64_t budget_ns;
	/* Or the subset that shows most in so much work of one CPU, in this order and not in that of
	 * length: the same runs on any machine, whatever it does besides.  Results have "rank" then. */
	uint64_t work_ns;
	bool all;
	bool dump; /* write what is demanded of each scenario, and by which layer, and run nothing */
	bool color; /* of the table in any case; else only on a terminal */
	/* Sees each result when it comes, an object as in docs/format/results.md with "scenario",
	 * "preset" and perhaps "variant" added; NULL: nobody asks.  Return: false to start nothing more. */
	bool (*result)(void *arg, const void *json_object);
	void *arg;
	bool quiet; /* no table, no progress */
};

/**
 * ktstr_check() - run the scenarios that fit on each topology, judge, and print a table.
 * @opts:	what to run
 * @err:	what kept it from starting; may be NULL
 *
 * The table goes to stdout: scenarios by topologies, then the worst findings with the command that
 * repeats each.  All files go to a run folder, as a test program's do.  Each kernel and variant is a run
 * with a table of its own.  That nothing hinders any of them is found out before a guest is started.
 *
 * Return: enum ktstr_exit, as a test program, of several runs the worst; USAGE for unknown names with a near one in @err.
 */
KTSTR_API int ktstr_check(const struct ktstr_check_opts *opts, struct ktstr_error *err);

#endif
