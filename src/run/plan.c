// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/plan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/path.h"

enum { NUMBER_TEXT = 24 };

/* What stands in front of @text's first @separator, and a pointer behind it. */
static const char *cut(const char *text, const char *separator, char word[NUMBER_TEXT])
{
	const char *found = strstr(text, separator);

	if (!found || (size_t)(found - text) >= NUMBER_TEXT)
		return NULL;
	memcpy(word, text, (size_t)(found - text));
	word[found - text] = '\0';
	return found + strlen(separator);
}

static int parse_seed(const char *text, uint64_t *ret_seed)
{
	int r = parse_u64(text, ret_seed);

	return r == 0 && *ret_seed > INT64_MAX ? -ERANGE : r;
}

int plan_parse_seeds(const char *text, uint64_t *ret_first, uint64_t *ret_last,
		     struct ktstr_error *err)
{
	char word[NUMBER_TEXT] = "1";
	const char *rest = strstr(text, "..") ? cut(text, "..", word) : text;
	uint64_t first, last;

	if (!rest || parse_seed(word, &first) < 0 || parse_seed(rest, &last) < 0)
		return ktstr_error_set(err, -EINVAL,
				       "--seeds '%s': it is N for 1..N, or A..B; seeds go from 0 "
				       "to %" PRId64,
				       text, INT64_MAX);
	if (first > last && rest == text)
		return ktstr_error_set(err, -EINVAL,
				       "--seeds '%s' is no seed at all; --seed %s runs that one",
				       text, text);
	if (first > last)
		return ktstr_error_set(err, -EINVAL,
				       "--seeds '%s': the first is larger than the last", text);
	if (last - first >= PLAN_ITEMS_MAX)
		return ktstr_error_set(err, -EINVAL, "--seeds '%s': more than %d seeds", text,
				       PLAN_ITEMS_MAX);
	*ret_first = first;
	*ret_last = last;
	return 0;
}

int plan_parse_shard(const char *text, struct plan_shard *ret_shard, struct ktstr_error *err)
{
	char kind[NUMBER_TEXT] = "", number[NUMBER_TEXT] = "";
	const char *rest = cut(text, ":", kind), *of = rest ? cut(rest, "/", number) : NULL;
	struct plan_shard shard = { .partition = !strcmp(kind, "slice")	 ? PLAN_SLICE
						 : !strcmp(kind, "hash") ? PLAN_HASH
									 : PLAN_WHOLE };

	if (!of || shard.partition == PLAN_WHOLE || parse_u32(number, &shard.number) < 0 ||
	    parse_u32(of, &shard.of) < 0)
		return ktstr_error_set(err, -EINVAL,
				       "--partition '%s': it is slice:m/n or hash:m/n, such as "
				       "slice:1/4 for the first of four",
				       text);
	if (!shard.number)
		return ktstr_error_set(err, -EINVAL,
				       "--partition '%s': the first shard is 1, not 0; try %s:1/%u",
				       text, kind, shard.of ? shard.of : 1);
	if (shard.number > shard.of)
		return ktstr_error_set(err, -EINVAL,
				       "--partition '%s': there is no shard %u of %u; the last is "
				       "%s:%u/%u",
				       text, shard.number, shard.of, kind, shard.of ? shard.of : 1,
				       shard.of ? shard.of : 1);
	*ret_shard = shard;
	return 0;
}

uint64_t plan_hash(const char *id)
{
	uint64_t h = 0xcbf29ce484222325;

	for (; *id; id++)
		h = (h ^ (uint8_t)*id) * 0x100000001b3;
	h = (h ^ h >> 33) * 0xff51afd7ed558ccd;
	h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53;
	return h ^ h >> 33;
}

uint32_t plan_shard_of(const struct plan_shard *shard, size_t index, const char *id)
{
	uint64_t key = shard->partition == PLAN_HASH ? plan_hash(id) : index;

	return (uint32_t)(key % shard->of) + 1;
}

static bool is_mine(const struct plan_shard *shard, size_t index, const char *id)
{
	return shard->partition == PLAN_WHOLE || plan_shard_of(shard, index, id) == shard->number;
}

static char *make_id(const struct plan_opts *opts, const struct plan_item *item)
{
	char seed[NUMBER_TEXT] = "", repetition[NUMBER_TEXT] = "";

	if (opts->first_seed != opts->last_seed)
		snprintf(seed, sizeof(seed), "@%" PRIu64, item->seed);
	if (opts->repetitions > 1)
		snprintf(repetition, sizeof(repetition), "#%" PRIu32, item->repetition);
	return path_format("%s%s%s", item->entry->name, seed, repetition);
}

static int add_item(const struct plan_opts *opts, struct plan_item *item, struct plan *plan)
{
	item->index = plan->nr_all;
	item->id = make_id(opts, item);
	if (!item->id)
		return -ENOMEM;
	plan->all_ids[plan->nr_all++] = item->id;
	if (!is_mine(&opts->shard, item->index, item->id))
		return 0;
	item->id = strdup(item->id);
	if (!item->id)
		return -ENOMEM;
	plan->items[plan->nr++] = *item;
	return 0;
}

static int add_test(const struct plan_opts *opts, const struct ktstr_entry *entry,
		    struct plan *plan)
{
	uint64_t nr_seeds = opts->last_seed - opts->first_seed + 1;
	int r = 0;

	for (uint64_t s = 0; s < nr_seeds && r == 0; s++)
		for (uint32_t n = 1; n <= opts->repetitions && r == 0; n++)
			r = add_item(opts,
				     &(struct plan_item){ .entry = entry,
							  .seed = opts->first_seed + s,
							  .repetition = n },
				     plan);
	return r;
}

static uint64_t count(const struct plan_opts *opts)
{
	uint64_t seeds = opts->last_seed - opts->first_seed + 1, tests = 0;

	for (size_t i = 0; i < opts->registry->nr; i++)
		tests += opts->registry->selected[i];
	/* The seeds are limited by their parser. */
	return seeds * opts->repetitions > PLAN_ITEMS_MAX ? PLAN_ITEMS_MAX + tests
							  : seeds * opts->repetitions * tests;
}

int plan_make(const struct plan_opts *opts, struct plan *ret_plan, struct ktstr_error *err)
{
	_cleanup_plan_ struct plan plan = PLAN_INIT;
	uint64_t nr = count(opts);
	int r = 0;

	if (nr > PLAN_ITEMS_MAX)
		return ktstr_error_set(err, -E2BIG,
				       "tests x seeds x repetitions are more than %d runs; ask for "
				       "fewer seeds (--seeds A..B) at a time",
				       PLAN_ITEMS_MAX);
	plan.items = calloc(nr + 1, sizeof(*plan.items));
	plan.all_ids = calloc(nr + 1, sizeof(*plan.all_ids));
	if (!plan.items || !plan.all_ids)
		return ktstr_error_nomem(err);
	for (size_t i = 0; i < opts->registry->nr && r == 0; i++)
		if (opts->registry->selected[i])
			r = add_test(opts, opts->registry->entries[i], &plan);
	if (r < 0)
		return ktstr_error_nomem(err);
	*ret_plan = plan;
	plan = (struct plan)PLAN_INIT;
	return 0;
}

void plan_deinit(struct plan *plan)
{
	for (size_t i = 0; i < plan->nr; i++)
		free(plan->items[i].id);
	for (size_t i = 0; i < plan->nr_all; i++)
		free(plan->all_ids[i]);
	free(plan->items);
	free(plan->all_ids);
	*plan = (struct plan)PLAN_INIT;
}

static int by_length(const void *a, const void *b)
{
	const struct plan_item *left = a, *right = b;

	if (left->rank != right->rank)
		return left->rank < right->rank ? -1 : 1;
	if (!left->expected_ns != !right->expected_ns)
		return left->expected_ns ? 1 : -1;
	if (left->expected_ns != right->expected_ns)
		return left->expected_ns < right->expected_ns ? 1 : -1;
	return left->index < right->index ? -1 : 1;
}

void plan_sort(struct plan *plan)
{
	if (plan->nr)
		qsort(plan->items, plan->nr, sizeof(*plan->items), by_length);
}
