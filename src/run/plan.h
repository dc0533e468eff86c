/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * plan.h - which runs of which tests, in which order: selected tests x seeds x repetitions.
 *
 * An item's id is the test's name, then "@SEED" if more than one seed was asked for, then "#N" if
 * there are repetitions.  Partition counts over all items in the order of declaration, so that every
 * shard of the same command line agrees on them: "slice" takes every n-th; "hash" goes by the id
 * alone, so that an item keeps its shard when others come and go.  Tests on the host are multiplied
 * like any other: their bodies may use the seed too.
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
	size_t index; /* in the whole matrix, in the order of declaration */
	uint64_t seed;
	uint32_t repetition;  /* from 1 */
	uint64_t rank;	      /* the lowest come first */
	uint64_t expected_ns; /* from history; 0: not known */
};

enum plan_partition { PLAN_WHOLE, PLAN_SLICE, PLAN_HASH };

struct plan_shard {
	enum plan_partition partition;
	uint32_t number, of; /* "slice:m/n": m from 1 to n */
};

struct plan_opts {
	const struct registry *registry; /* selected */
	uint64_t first_seed, last_seed;
	uint32_t repetitions; /* 1 or more */
	struct plan_shard shard;
};

struct plan {
	struct plan_item *items; /* of this shard */
	size_t nr;
	char **all_ids; /* of every shard */
	size_t nr_all;
};

#define PLAN_INIT \
	{         \
	}
#define _cleanup_plan_ __attribute__((cleanup(plan_deinit)))

/* "5" is 1..5, "3..9" is itself; both ends count.  Return: 0, -EINVAL. */
int plan_parse_seeds(const char *text, uint64_t *ret_first, uint64_t *ret_last,
		     struct ktstr_error *err) KTSTR_MUST_CHECK;
/* "slice:m/n" or "hash:m/n".  Return: 0, -EINVAL. */
int plan_parse_shard(const char *text, struct plan_shard *ret_shard,
		     struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Items are in the order of declaration.  Return: 0, -E2BIG (more than PLAN_ITEMS_MAX), -ENOMEM. */
int plan_make(const struct plan_opts *opts, struct plan *ret_plan,
	      struct ktstr_error *err) KTSTR_MUST_CHECK;
void plan_deinit(struct plan *plan);

/* By rank; of equals those that are expected to take longest first, and before them those of which
 * nothing is known; equals stay in the order of declaration. */
void plan_sort(struct plan *plan);

/* Which shard runs the item, from 1; @shard says how many there are of which kind (not WHOLE). */
uint32_t plan_shard_of(const struct plan_shard *shard, size_t index, const char *id);

/* Of an id: FNV-1a of 64 bits, then the finaliser of MurmurHash3; part of what "hash:" promises. */
uint64_t plan_hash(const char *id);

#endif
