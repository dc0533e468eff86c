// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "run/tally.h"

static const struct ktstr_entry entries[] = { { .name = "a" }, { .name = "b" } };
static const struct ktstr_entry *list[] = { &entries[0], &entries[1] };
static bool selected[] = { true, true };
static const struct registry registry = { .entries = list, .selected = selected, .nr = 2 };
static struct plan plan;
static struct tally tally;

static void make(uint64_t last_seed, uint32_t repetitions)
{
	const struct plan_opts opts = { .registry = &registry,
					.first_seed = 5,
					.last_seed = last_seed,
					.repetitions = repetitions };
	struct ktstr_error err;

	assert_int_equal(plan_make(&opts, &plan, &err), 0);
	assert_int_equal(tally_init(&tally, &opts, &plan), 0);
}

static int tear_down(void **state)
{
	(void)state;
	tally_deinit(&tally);
	plan_deinit(&plan);
	return 0;
}

/* Return: the verdict after the comparison. */
static enum ktstr_verdict add(const char *id, enum ktstr_verdict verdict, const char *hash)
{
	struct result result = { .verdict = verdict, .mode = "exact", .reasons = strdup("why") };
	size_t i = 0;

	while (strcmp(plan.items[i].id, id) != 0)
		i++;
	result_set_end(&result, "checks");
	snprintf(result.events_sha256, sizeof(result.events_sha256), "%s", hash);
	if (tally_has_parted(&tally, &plan.items[i], &result)) {
		assert_string_equal(result.end, "parted");
		assert_non_null(strstr(result.reasons, "two runs of the same inputs parted"));
		assert_non_null(strstr(result.reasons, "\nwhy"));
	}
	tally_add(&tally, &plan.items[i], &result);
	verdict = result.verdict;
	result_deinit(&result);
	return verdict;
}

static char *again(void *arg, const struct plan_item *item, const char *mode)
{
	char *line = NULL;

	(void)arg;
	return asprintf(&line, "%s %d %s", item->entry->name, (int)item->seed, mode) < 0 ? NULL
											 : line;
}

static void expect_text(const char *wanted)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;

	tally_text(&tally, &(struct tally_style){ .again = again }, &out);
	assert_string_equal(strbuf_str(&out), wanted);
}

static void one_run_each_says_nothing(void **state)
{
	(void)state;
	make(5, 1);
	add("a", KTSTR_FAIL, "x");
	assert_false(tally_is_matrix(&tally));
	expect_text("");
}

static void repetitions_are_counted(void **state)
{
	(void)state;
	make(5, 3);
	add("a#1", KTSTR_PASS, "");
	add("a#2", KTSTR_FAIL, "");
	add("a#3", KTSTR_PASS, "");
	add("b#1", KTSTR_PASS, "");
	assert_true(tally_is_matrix(&tally));
	expect_text("a: 2 of 3 passed\n    run again: a 5 exact\nb: 1 of 1 passed\n");
}

static void failing_seeds_are_listed(void **state)
{
	json_t *json, *test;

	(void)state;
	make(34, 1);
	for (int seed = 34; seed >= 5; seed--) {
		char id[16], hash[16];

		snprintf(id, sizeof(id), "b@%d", seed);
		snprintf(hash, sizeof(hash), "h%d", seed / 2);
		add(id, seed < 30 ? KTSTR_ERROR : KTSTR_UNDECIDED, hash);
	}
	expect_text(
		"b: 0 of 30 passed\n"
		"    failing seeds: 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 and 5 "
		"more\n"
		"    run again: b 5 exact\n"
		"    16 different courses of events over 30 seeds\n");
	json = tally_json(&tally);
	assert_int_equal(json_array_size(json), 1);
	test = json_array_get(json, 0);
	assert_int_equal(json_integer_value(json_object_get(test, "distinct_events")), 16);
	assert_int_equal(json_array_size(json_object_get(test, "failing_seeds")),
			 TALLY_SEEDS_SHOWN);
	json_decref(json);
}

static void runs_that_part_are_errors(void **state)
{
	(void)state;
	make(6, 3);
	assert_int_equal(add("a@5#1", KTSTR_PASS, "x"), KTSTR_PASS);
	assert_int_equal(add("a@6#1", KTSTR_PASS, "y"), KTSTR_PASS);
	assert_int_equal(add("b@5#1", KTSTR_PASS, "z"), KTSTR_PASS);
	assert_int_equal(add("a@5#2", KTSTR_PASS, "x"), KTSTR_PASS);
	assert_int_equal(add("a@5#3", KTSTR_PASS, "y"), KTSTR_ERROR);
	/* Not whole: it says nothing. */
	assert_int_equal(add("a@6#2", KTSTR_PASS, ""), KTSTR_PASS);
	assert_int_equal(add("a@6#3", KTSTR_FAIL, "x"), KTSTR_ERROR);
}

static void what_was_cut_short_does_not_part(void **state)
{
	struct result result = { .mode = "exact", .events_sha256 = "y" };

	(void)state;
	make(5, 2);
	add("a#1", KTSTR_PASS, "x");
	result_set_end(&result, "interrupted");
	assert_false(tally_has_parted(&tally, &plan.items[1], &result));
	result_set_end(&result, "finished");
	memcpy(result.mode, "live", 5);
	assert_false(tally_has_parted(&tally, &plan.items[1], &result));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(one_run_each_says_nothing, tear_down),
		cmocka_unit_test_teardown(repetitions_are_counted, tear_down),
		cmocka_unit_test_teardown(failing_seeds_are_listed, tear_down),
		cmocka_unit_test_teardown(runs_that_part_are_errors, tear_down),
		cmocka_unit_test_teardown(what_was_cut_short_does_not_part, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
