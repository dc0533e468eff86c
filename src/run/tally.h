/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * tally.h - what many runs of one test say together: how many passed, which seeds failed, and
 * whether exact runs of the same inputs were the same.
 */
#ifndef KTSTR_RUN_TALLY_H
#define KTSTR_RUN_TALLY_H

#include "run/plan.h"
#include "run/result.h"

enum { TALLY_SEEDS_SHOWN = 20 };

struct tally_test;
struct tally_seed;

struct tally {
	const struct plan *plan; /* borrowed */
	uint64_t first_seed, nr_seeds;
	uint32_t repetitions;
	size_t nr_tests;
	struct tally_test *tests; /* in the order of declaration */
	struct tally_seed *seeds; /* nr_seeds for each test */
};

/* @opts as given to plan_make().  Return: 0 or -ENOMEM. */
int tally_init(struct tally *t, const struct plan_opts *opts,
	       const struct plan *plan) KTSTR_MUST_CHECK;
void tally_deinit(struct tally *t);

/* Did an exact run come out other than an earlier one of the same test and seed?  Then @result
 * becomes an ERROR that says so.  To be asked before tally_add(). */
bool tally_has_parted(const struct tally *t, const struct plan_item *item, struct result *result);

void tally_add(struct tally *t, const struct plan_item *item, const struct result *result);

/* Was anything planned more than once? */
bool tally_is_matrix(const struct tally *t);

/* Lines for people about each test; @again, called with the first failing run, gives the command
 * that repeats it (malloc'ed). */
struct tally_style {
	char *(*again)(void *arg, const struct plan_item *item, const char *mode);
	void *arg;
};
void tally_text(const struct tally *t, const struct tally_style *style, struct strbuf *out);

/* An array of objects, one per test; see docs/format/results.md.  NULL for lack of memory. */
json_t *tally_json(const struct tally *t);

#endif
