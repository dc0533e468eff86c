/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* check_skips.h - which needs were not met in a check, and what could not be run for them. */
#ifndef KTSTR_RUN_CHECK_SKIPS_H
#define KTSTR_RUN_CHECK_SKIPS_H

#include "run/check.h"

enum { CHECK_SKIP_NAMES = 8 };

struct check_skip {
	const char *reason;
	unsigned int runs;
	/* The first of them, each once, in the order of the matrix. */
	const struct ktstr_scenario *scenarios[CHECK_SKIP_NAMES];
	const struct ktstr_scenario *last; /* that counted */
	unsigned int nr_scenarios;	   /* all */
};

/* By reason, that of most runs first.  Everything is borrowed from @matrix; free() the list.
 * Return: how many, or -ENOMEM. */
int check_skips_list(const struct check_matrix *matrix,
		     struct check_skip **ret_list) KTSTR_MUST_CHECK;

#endif
