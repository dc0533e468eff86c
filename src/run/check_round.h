/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* check_round.h - one table of a check: one kernel, one variant of the scheduler. */
#ifndef KTSTR_RUN_CHECK_ROUND_H
#define KTSTR_RUN_CHECK_ROUND_H

#include <ktstr/check.h>

struct check_round {
	struct ktstr_check_opts opts; /* with the scheduler of this round */
	const char *kernel;	      /* in place of that in @opts; NULL: as there */
	const char *variant;	      /* name of the flags, NULL: none */
	unsigned int number;	      /* from 1 if there are several, else 0 */
	int json_fd;		      /* -1: none */
	int lost;		      /* first error of writing there */
	bool look;		      /* only find out whether it can be run */
};

/* Return: enum ktstr_exit; what kept it from starting is in @err. */
int check_round(struct check_round *round, struct ktstr_error *err);

#endif
