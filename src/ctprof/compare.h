/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * compare.h - a comparison while it is being made.
 *
 * Steps: join threads of two moments (moments.c), put threads and cgroups into groups (group.c,
 * pair.c), sum up their values (aggregate.c), take differences (delta.c), sort (sort.c).
 */
#ifndef KTSTR_CTPROF_COMPARE_WORK_H
#define KTSTR_CTPROF_COMPARE_WORK_H

#include <ktstr/ctprof_compare.h>

#include "base/arena.h"
#include "ctprof/names.h"

typedef const struct ktstr_ctprof_thread *thread_ref;

struct comparison {
	struct ktstr_ctprof_comparison head;
	struct arena arena; /* blocks, columns, groups, cells, labels */
};

struct compare_work {
	struct comparison *result;
	const struct ktstr_ctprof_compare_opts *opts;
	/* For each thread of a window its record at the window's begin, NULL if born since; the
	 * list is NULL for moments. */
	thread_ref *window[2];
	thread_ref *between; /* one_boot: the same for threads of the later moment */
	bool *survives;	     /* one_boot: for threads of the earlier moment */
	struct ktstr_error *err;
};

/* Which group everything is in. */
enum { PAIR_MAX_LONERS = 1024 }; /* cgroups on one side; with more nothing is paired */

struct grouping {
	enum ktstr_ctprof_group_by by;
	uint32_t *threads[2];		   /* by index in the snapshot */
	uint32_t *cgroups[2];		   /* BY_CGROUP; else NULL */
	struct ktstr_ctprof_group *groups; /* in the result's arena */
	size_t nr;
	bool unpaired; /* BY_CGROUP: there were more than PAIR_MAX_LONERS */
};

static inline const struct ktstr_ctprof *side_of(const struct compare_work *w, unsigned int side)
{
	return w->result->head.sides[side].snapshot;
}

/* The records of @later's threads in @earlier; NULL for lack of memory.  @survives, if not NULL,
 * has an entry per thread of @earlier, and those that are in both are set. */
thread_ref *join_threads(const struct ktstr_ctprof *earlier, const struct ktstr_ctprof *later,
			 bool *survives);
/* Are two snapshots of one boot?  Without ids: if half of the fewer threads are in both. */
bool join_one_boot(const struct ktstr_ctprof *a, const struct ktstr_ctprof *b, bool *ret_guessed);
/* Seconds from @earlier to @later, by uptime if the clock was set; negative: the wrong way round. */
double join_seconds(const struct ktstr_ctprof *earlier, const struct ktstr_ctprof *later);

void grouping_deinit(struct grouping *g);
#define _cleanup_grouping_ __attribute__((cleanup(grouping_deinit)))
/* Return: 0, -ENOMEM, -EINVAL (too many globs). */
int group_make(struct compare_work *w, enum ktstr_ctprof_group_by by,
	       struct grouping *ret_grouping) KTSTR_MUST_CHECK;
/* Pairs cgroups that are on one side only.  Return: 0, -ENOMEM. */
int pair_cgroups(struct compare_work *w, struct grouping *g) KTSTR_MUST_CHECK;
/* Share of what two sorted lists of distinct keys have in common, of all they have. */
double pair_jaccard(const uint64_t *a, size_t nr_a, const uint64_t *b, size_t nr_b);

/* The columns of a block: what @opts asks for.  Return: 0, -ENOMEM, -EINVAL (unknown metric). */
int columns_make(struct compare_work *w, struct ktstr_ctprof_block *block) KTSTR_MUST_CHECK;
/* The first metric of this name, with or without its unit, in any table; NULL: there is none. */
const struct ktstr_metric_info *columns_info(const char *name, size_t len,
					     enum ktstr_ctprof_kind *ret_kind);
bool columns_known(const char *name, size_t len);
/* Return: -EINVAL, with what may have been meant. */
int columns_unknown(const char *name, size_t len, struct ktstr_error *err);
bool column_named(const struct ktstr_ctprof_column *column, const char *name, size_t len);
/* Does the metric's number make sense divided by time? */
bool column_is_rate(const struct ktstr_ctprof_column *column);

/* Inputs of a derived value, summed up. */
struct derived_sums {
	double first, second;
	uint32_t have;
};

enum derived_form { DERIVED_RATIO, DERIVED_SHARE, DERIVED_LESS, DERIVED_OFFCPU };

enum { DERIVED_INPUTS = 8 };

struct derived_row {
	struct ktstr_metric_info info;
	enum derived_form form;
	unsigned int inputs[DERIVED_INPUTS]; /* enum ktstr_ctprof_metric */
	unsigned int nr_inputs;
};

const struct derived_row *derived_row(unsigned int derived);
/* Adds the inputs of one thread. */
void derived_add(const struct derived_row *row, const int64_t inputs[DERIVED_INPUTS],
		 struct derived_sums *sums);
/* Return: false if nobody had the inputs, or it cannot be computed. */
bool derived_value(const struct derived_row *row, const struct derived_sums *sums,
		   double *ret_value);

/* Fills values of all cells of @block from all members of both sides.  Return: 0, -ENOMEM. */
int aggregate(struct compare_work *w, const struct grouping *g,
	      struct ktstr_ctprof_block *block) KTSTR_MUST_CHECK;
/* Deltas, percentages, marks, shares and weights of @block. */
void delta_block(struct ktstr_ctprof_comparison *c, struct ktstr_ctprof_block *block);

#endif
