/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * check_worst.h - what went wrong in a check, the worst first, and what is the same said once.
 *
 * Each run that did not pass counts by its worst finding: what must always hold and did not, then what
 * missed its bound by the largest factor.  Runs of a scenario are the same if check, subject and step
 * are; runs of any scenarios are if nothing has a bound and the sentences, up to the first ";", differ
 * only in words that have digits in them: what held the CPUs comes behind it.
 */
#ifndef KTSTR_RUN_CHECK_WORST_H
#define KTSTR_RUN_CHECK_WORST_H

#include "run/check.h"

struct check_worst {
	enum ktstr_verdict verdict;
	const json_t *result, *finding; /* the worst of the runs; finding NULL: it has none */
	double excess; /* how many times its bound it came to; INFINITY: it should have held */
	unsigned int runs;
	unsigned int scenarios;
	uint32_t topologies; /* a bit for each of the matrix */
	char *key;
};

/* FAIL, ERROR, UNDECIDED; of each the largest excess first.  Everything is borrowed from @matrix, and
 * lives until check_worst_free().  Return: how many, or -ENOMEM. */
int check_worst_list(const struct check_matrix *matrix,
		     struct check_worst **ret_list) KTSTR_MUST_CHECK;
void check_worst_free(struct check_worst *list, size_t nr);

/* The sentence to show. */
const char *check_worst_text(const struct check_worst *worst);

#endif
