/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * plan.h - which runs of which tests, in which order: selected tests x seeds x repetitions.
 *
 * An item's id is the test's name, then "@SEED" if more than one seed was asked for, then "#N" if
 * there are repetitions.  Partition counts over all items in the order of declaration, so that every
 * shard of the same command line agrees on them; "hash" by the id alone, so that an item keeps its
 * shard when others come and go.
 */
#ifndef KTSTR_RUN_PLAN_H
#define KTSTR_RUN_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "run/registry.h"

enum { PLAN_ITEMS_MAX = 1000000 };

struct plan_item {
	const struct ktstr_entry *entry;
	char *id;
	uint64_t seed;
	uint32_t repetition;  /* from 1 */
	uint64_t expected_ns; /* from history; 0: not known */
};

enum plan_partition { PLAN_WHOLE, PLAN_SLICE, PLAN_HASH };

struct plan_opts {
	const struct registry *registry; /* selected */
	uint64_t first_seed, last_seed;
	uint32_t repetitions; /* 1 or more */
	enum plan_partition partition;
	uint32_t shard, shards; /* "slice:m/n": m from 1 to n */
};

struct plan {
	struct plan_item *items; /* of this shard */
	size_t nr;
	char **all_ids; /* of every shard */
	size_t nr_all;
};

/* Return: 0, -E2BIG (more than PLAN_ITEMS_MAX), -ENOMEM. */
int plan_make(const struct plan_opts *opts, struct plan *ret_plan,
	      struct ktstr_error *err) KTSTR_MUST_CHECK;
void plan_deinit(struct plan *plan);

#endif
