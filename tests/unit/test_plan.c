// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/plan.h"

static struct ktstr_error err;
static const struct ktstr_entry entries[] = { { .name = "a" }, { .name = "b" }, { .name = "c" } };
static const struct ktstr_entry *list[] = { &entries[0], &entries[1], &entries[2] };
static bool selected[] = { true, false, true };
static const struct registry registry = { .entries = list, .selected = selected, .nr = 3 };

static struct plan make(struct plan_opts opts)
{
	struct plan plan;

	opts.registry = &registry;
	assert_int_equal(plan_make(&opts, &plan, &err), 0);
	return plan;
}

static void ids_name_what_differs(void **state)
{
	static const char *const wanted[] = { "a@7#1", "a@7#2", "a@8#1", "a@8#2",
					      "c@7#1", "c@7#2", "c@8#1", "c@8#2" };
	struct plan plan;

	(void)state;
	plan = make((struct plan_opts){ .first_seed = 3, .last_seed = 3, .repetitions = 1 });
	assert_int_equal(plan.nr, 2);
	assert_string_equal(plan.items[0].id, "a");
	assert_string_equal(plan.items[1].id, "c");
	assert_int_equal(plan.items[1].seed, 3);
	assert_int_equal(plan.items[1].repetition, 1);
	plan_deinit(&plan);
	plan = make((struct plan_opts){ .first_seed = 3, .last_seed = 3, .repetitions = 2 });
	assert_string_equal(plan.items[1].id, "a#2");
	plan_deinit(&plan);
	plan = make((struct plan_opts){ .first_seed = 0, .last_seed = 1, .repetitions = 1 });
	assert_string_equal(plan.items[0].id, "a@0");
	plan_deinit(&plan);
	plan = make((struct plan_opts){ .first_seed = 7, .last_seed = 8, .repetitions = 2 });
	assert_int_equal(plan.nr, 8);
	assert_int_equal(plan.nr_all, 8);
	for (size_t i = 0; i < 8; i++) {
		assert_string_equal(plan.items[i].id, wanted[i]);
		assert_string_equal(plan.all_ids[i], wanted[i]);
		assert_int_equal(plan.items[i].index, i);
	}
	assert_ptr_equal(plan.items[7].entry, &entries[2]);
	assert_int_equal(plan.items[7].seed, 8);
	assert_int_equal(plan.items[7].repetition, 2);
	plan_deinit(&plan);
}

static void every_item_is_in_one_shard(enum plan_partition partition, uint32_t of)
{
	unsigned int seen[202] = { 0 };

	for (uint32_t m = 1; m <= of; m++) {
		struct plan plan = make((struct plan_opts){
			.first_seed = 1,
			.last_seed = 101,
			.repetitions = 1,
			.shard = { .partition = partition, .number = m, .of = of } });

		assert_int_equal(plan.nr_all, 202);
		/* No shard may be as good as empty. */
		assert_in_range(plan.nr, 202 / of / 2, 202 / of * 2 + 1);
		for (size_t i = 0; i < plan.nr; i++) {
			seen[plan.items[i].index]++;
			assert_string_equal(plan.items[i].id, plan.all_ids[plan.items[i].index]);
		}
		plan_deinit(&plan);
	}
	for (size_t i = 0; i < 202; i++)
		assert_int_equal(seen[i], 1);
}

static void shards_cover_all_once(void **state)
{
	(void)state;
	for (uint32_t of = 1; of <= 5; of++) {
		every_item_is_in_one_shard(PLAN_SLICE, of);
		every_item_is_in_one_shard(PLAN_HASH, of);
	}
}

static void the_hash_stays(void **state)
{
	(void)state;
	/* Computed apart from this code; another value would move items between shards. */
	assert_int_equal(plan_hash(""), 0xefd01f60ba992926);
	assert_int_equal(plan_hash("a@7#1"), 0xe1f1342025f5cf49);
}

static void the_longest_go_first(void **state)
{
	static const uint64_t expected[] = { 5, 0, 9, 5, 0, 1 };
	static const char *const wanted[] = { "a@2", "c@2", "a@3", "a@1", "c@1", "c@3" };
	struct plan plan =
		make((struct plan_opts){ .first_seed = 1, .last_seed = 3, .repetitions = 1 });

	(void)state;
	for (size_t i = 0; i < plan.nr; i++)
		plan.items[i].expected_ns = expected[i];
	plan_sort(&plan);
	for (size_t i = 0; i < plan.nr; i++)
		assert_string_equal(plan.items[i].id, wanted[i]);
	/* A rank counts more than that. */
	for (size_t i = 0; i < plan.nr; i++)
		plan.items[i].rank = plan.nr - i;
	plan_sort(&plan);
	for (size_t i = 0; i < plan.nr; i++)
		assert_string_equal(plan.items[i].id, wanted[plan.nr - 1 - i]);
	plan_deinit(&plan);
}

static void too_many_are_refused(void **state)
{
	struct plan_opts opts = {
		.registry = &registry, .first_seed = 1, .last_seed = 500001, .repetitions = 1
	};
	struct plan plan;

	(void)state;
	assert_int_equal(plan_make(&opts, &plan, &err), -E2BIG);
	opts.last_seed = 1000000;
	opts.repetitions = UINT32_MAX;
	assert_int_equal(plan_make(&opts, &plan, &err), -E2BIG);
}

static void refused_seeds(const char *text, const char *why)
{
	uint64_t first, last;

	assert_int_equal(plan_parse_seeds(text, &first, &last, &err), -EINVAL);
	if (!strstr(err.text, why))
		fail_msg("'%s' is not in: %s", why, err.text);
}

static void seeds_are_read(void **state)
{
	uint64_t first, last;

	(void)state;
	assert_int_equal(plan_parse_seeds("5", &first, &last, &err), 0);
	assert_int_equal(first, 1);
	assert_int_equal(last, 5);
	assert_int_equal(plan_parse_seeds("0..0", &first, &last, &err), 0);
	assert_int_equal(first, 0);
	assert_int_equal(last, 0);
	assert_int_equal(
		plan_parse_seeds("9223372036854775806..9223372036854775807", &first, &last, &err),
		0);
	assert_int_equal(last, INT64_MAX);
	refused_seeds("0", "no seed at all; --seed 0");
	refused_seeds("5..3", "first is larger");
	refused_seeds("1..9223372036854775808", "N for 1..N, or A..B");
	refused_seeds("1..1000001", "more than 1000000");
	refused_seeds("", "N for 1..N");
	refused_seeds("..5", "N for 1..N");
	refused_seeds("5..", "N for 1..N");
	refused_seeds("1...5", "N for 1..N");
	refused_seeds("11111111111111111111111111111..5", "N for 1..N");
	refused_seeds("1-5", "N for 1..N");
}

static void refused_shard(const char *text, const char *why)
{
	struct plan_shard shard;

	assert_int_equal(plan_parse_shard(text, &shard, &err), -EINVAL);
	if (!strstr(err.text, why))
		fail_msg("'%s' is not in: %s", why, err.text);
}

static void shards_are_read(void **state)
{
	struct plan_shard shard;

	(void)state;
	assert_int_equal(plan_parse_shard("slice:2/3", &shard, &err), 0);
	assert_int_equal(shard.partition, PLAN_SLICE);
	assert_int_equal(shard.number, 2);
	assert_int_equal(shard.of, 3);
	assert_int_equal(plan_parse_shard("hash:1/1", &shard, &err), 0);
	assert_int_equal(shard.partition, PLAN_HASH);
	refused_shard("slice:0/3", "the first shard is 1, not 0; try slice:1/3");
	refused_shard("hash:0/0", "try hash:1/1");
	refused_shard("hash:4/3", "no shard 4 of 3; the last is hash:3/3");
	refused_shard("hash:1/0", "no shard 1 of 0");
	refused_shard("slice", "slice:m/n or hash:m/n");
	refused_shard("slice:2", "slice:m/n or hash:m/n");
	refused_shard("slice:2/", "slice:m/n or hash:m/n");
	refused_shard("slice:/2", "slice:m/n or hash:m/n");
	refused_shard("count:1/2", "slice:m/n or hash:m/n");
	refused_shard("slice:1/2/3", "slice:m/n or hash:m/n");
	refused_shard("2/3", "slice:m/n or hash:m/n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_name_what_differs), cmocka_unit_test(shards_cover_all_once),
		cmocka_unit_test(the_hash_stays),	 cmocka_unit_test(the_longest_go_first),
		cmocka_unit_test(too_many_are_refused),	 cmocka_unit_test(seeds_are_read),
		cmocka_unit_test(shards_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
