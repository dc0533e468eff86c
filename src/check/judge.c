// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "check/judge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "check/judge_private.h"

DEFINE_CLEANUP(struct records *, records_free);

static void (*const checks[KTSTR_JUDGE_CHECKS])(struct judge *j) = {
#define CHECK(name, kind, relation, unit, subject, about) [KTSTR_JUDGE_##name] = judge_##name,
#include <ktstr/checks.def>
};

/* The worst first; of equals the one that was found first. */
static int rank(const struct judge_finding *f)
{
	switch (f->verdict) {
	case KTSTR_FAIL:
		return 0;
	case KTSTR_ERROR:
		return 1;
	case KTSTR_UNDECIDED:
		return 2;
	case KTSTR_PASS:
		return 3;
	case KTSTR_SKIP:
		return 4;
	}
	return 5;
}

struct ranked {
	const struct judge_finding *finding;
	size_t place;
};

static int by_rank(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	int byverdict = rank(x->finding) - rank(y->finding);
	double sx = judge_severity(x->finding), sy = judge_severity(y->finding);

	if (byverdict)
		return byverdict;
	if (x->finding->verdict == KTSTR_FAIL && sx != sy)
		return sx > sy ? -1 : 1;
	return x->place < y->place ? -1 : 1;
}

static int hand_out(const struct judge *j, struct judge_findings *ret_findings)
{
	_cleanup_free_ struct ranked *ranked = calloc(j->nr + 1, sizeof(*ranked));

	if (!ranked)
		return -ENOMEM;
	for (size_t i = 0; i < j->nr; i++)
		ranked[i] = (struct ranked){ &j->items[i], i };
	qsort(ranked, j->nr, sizeof(*ranked), by_rank);
	ret_findings->nr = j->nr < JUDGE_FINDINGS ? j->nr : JUDGE_FINDINGS;
	ret_findings->more = j->more + j->nr - ret_findings->nr;
	for (size_t i = 0; i < ret_findings->nr; i++)
		ret_findings->items[i] = *ranked[i].finding;
	return 0;
}

/* A FAIL stands on what was read, whatever else is missing. */
static void let_failures_stand(struct judge *j)
{
	bool failed = false;

	for (size_t i = 0; i < j->nr; i++)
		failed |= j->items[i].verdict == KTSTR_FAIL;
	for (size_t i = 0; failed && i < j->nr; i++)
		if (j->items[i].verdict == KTSTR_ERROR)
			j->items[i].verdict = KTSTR_UNDECIDED;
}

/* Of damaged records nothing passes. */
static void drop_what_passed(struct judge *j)
{
	size_t kept = 0;

	for (size_t i = 0; i < j->nr; i++)
		if (j->items[i].verdict != KTSTR_PASS && j->items[i].verdict != KTSTR_SKIP)
			j->items[kept++] = j->items[i];
	j->nr = kept;
}

static void judge_demands(struct judge *j)
{
	for (size_t i = 0; i < j->r->nr_demands; i++) {
		const struct rec_demand *demand = &j->r->demands[i];

		if (demand->demand.off)
			continue;
		judge_desk_open(j, demand);
		checks[demand->demand.check](j);
		judge_desk_close(j);
	}
}

int judge_run(const json_t *records, bool whole, const struct judge_host *host,
	      struct judge_findings *ret_findings)
{
	const size_t each = JUDGE_FAILS_EACH + 2 * JUDGE_OTHERS_EACH;
	_cleanup_(records_freep) struct records *r = NULL;
	struct judge j = { .host = host };
	int result = records_read(records, whole, &r);

	if (result < 0)
		return result;
	j.r = r;
	j.size = (r->nr_demands + 1) * each;
	j.items = calloc(j.size, sizeof(*j.items));
	if (!j.items)
		return -ENOMEM;
	judge_desk_open(&j, NULL);
	judge_scenario(&j);
	judge_demands(&j);
	if (r->damage[0])
		drop_what_passed(&j);
	let_failures_stand(&j);
	result = hand_out(&j, ret_findings);
	free(j.items);
	return result;
}
