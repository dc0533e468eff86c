/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * selftest.h - the judge is judged: named bugs are put into a scheduler, and the catalogue has to find
 * each of them, by the check that is meant for it.
 *
 * The scheduler names its faults itself: "BINARY --list-faults --json" prints an array of objects with
 * name, about, group and checks (both may be several, "a|b": where it ought to be found and by what),
 * and what the machine must have at least: cpus, llcs, nodes, threads (0 or left out: any).
 * "BINARY --fault NAME --watchdog MS" runs with one.
 */
#ifndef KTSTR_SELFTEST_H
#define KTSTR_SELFTEST_H

#include <stdbool.h>
#include <stdint.h>

#include <ktstr/api.h>
#include <ktstr/error.h>

/* Zero fields are the default. */
struct ktstr_selftest_opts {
	const char *const *run_options; /* as in struct ktstr_check_opts */
	const char *const *faults;	/* globs of names; NULL: all */
	const char *const *topologies;	/* as in struct ktstr_check_opts */
	const char *binary;		/* NULL: ktstr-sched */
	const char *json_path;		/* gets every result and a line per mutant; "-": stdout */
	const char *markdown_path;	/* gets the table as a document */
	uint32_t watchdog_ms;		/* of the faulty scheduler; 0: 2000 */
	bool color;			/* as there */
	uint8_t reserved[3];
};

/**
 * ktstr_selftest_mutants() - run each fault against the catalogue, and print caught or missed.
 * @opts:	what to run
 * @err:	what kept it from starting; may be NULL
 *
 * First the scenarios of the groups that ought to find a fault, then the others, of both as many as are
 * a certain amount of work, those first that show most for their time.  A fault counts as caught when a
 * run fails by a check that is meant for it; a run that fails by another one only is told apart ("by
 * accident"), as is a fault that no topology was fit for.  Of several runs that find it the first in
 * that order is told, so in exact mode the table is the same on any machine.
 *
 * Return: enum ktstr_exit: PASS if all were caught, FAIL if not, others as ktstr_check().
 */
KTSTR_API int ktstr_selftest_mutants(const struct ktstr_selftest_opts *opts,
				     struct ktstr_error *err);

#endif
