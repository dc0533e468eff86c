// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/merge_tally.h"

static const char *const ids[] = { "a@8#1", "a@8#2", "a@9#1", "a@9#2",
				   "b@8#1", "b@8#2", "b@9#1", "b@9#2" };
static struct merge_program program;

static int set_up(void **state)
{
	(void)state;
	program = (struct merge_program){ .name = (char *)"p",
					  .ids = (char **)(uintptr_t)ids,
					  .nr = 8 };
	program.facts = json_pack("{s:{s:s, s:i}, s:{s:i, s:i}}", "seeds", "value", "8..9", "file",
				  0, "repetitions", "value", 2, "file", 0);
	return program.facts ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	json_decref(program.facts);
	return 0;
}

static void set_fact(const char *key, json_t *value)
{
	json_object_set_new(json_object_get(program.facts, key), "value", value);
}

static void tests_are_counted(void **state)
{
	struct strbuf text = STRBUF_INIT;
	json_t *list = json_array(), *first;
	struct merge_tally mt;

	(void)state;
	assert_int_equal(merge_tally_init(&mt, &program), 0);
	for (uint32_t i = 0; i < 8; i++) {
		struct result result = { .verdict = i == 2 ? KTSTR_FAIL : KTSTR_PASS,
					 .end = "x",
					 .rerun = (char *)(i == 2 ? "again" : "never") };

		if (i == 7)
			result_set_end(&result, MERGE_NO_RESULT);
		merge_tally_add(&mt, i, &result);
	}
	merge_tally_end(&mt, &text, list);
	assert_string_equal(strbuf_str(&text), "a: 3 of 4 passed\n"
					       "    failing seeds: 9\n"
					       "    run again: again\n"
					       "b: 3 of 3 passed\n");
	assert_int_equal(json_array_size(list), 2);
	first = json_array_get(list, 0);
	assert_string_equal(json_string_value(json_object_get(first, "test")), "a");
	assert_int_equal(json_integer_value(json_object_get(first, "passed")), 3);
	json_decref(list);
	strbuf_deinit(&text);
	merge_tally_deinit(&mt);
}

/* Without knowing how the ids came about, nothing is said of them. */
static void no_matrix_no_tally(void **state)
{
	struct strbuf text = STRBUF_INIT;
	json_t *list = json_array();
	struct merge_tally mt;

	(void)state;
	for (int i = 0; i < 6; i++) {
		if (i == 0)
			set_fact("repetitions", json_integer(3));
		else if (i == 1)
			set_fact("repetitions", json_string("2"));
		else if (i == 2)
			set_fact("repetitions", json_integer(-2));
		else if (i == 3)
			set_fact("seeds", json_string("x"));
		else if (i == 4)
			set_fact("seeds", json_integer(8));
		else
			json_object_del(program.facts, "seeds");
		assert_false(merge_is_matrix(&program));
		assert_int_equal(merge_tally_init(&mt, &program), 0);
		merge_tally_add(&mt, 7, &(struct result){ .end = "x" });
		merge_tally_end(&mt, &text, list);
		merge_tally_deinit(&mt);
		if (i < 3)
			set_fact("repetitions", json_integer(2));
		else if (i < 5)
			set_fact("seeds", json_string("8..9"));
	}
	assert_int_equal(text.len, 0);
	assert_int_equal(json_array_size(list), 0);
	json_decref(list);
}

static void seeds_are_named_if_they_agree(void **state)
{
	char text[48];

	(void)state;
	merge_seeds(&program, text);
	assert_string_equal(text, "8..9");
	/* One seed, not the seeds up to it. */
	set_fact("seeds", json_string("8"));
	set_fact("repetitions", json_integer(1));
	merge_seeds(&program, text);
	assert_string_equal(text, "8");
	assert_false(merge_is_matrix(&program));
	set_fact("repetitions", json_integer(2));
	assert_true(merge_is_matrix(&program));
	json_object_set_new(json_object_get(program.facts, "seeds"), "differs", json_true());
	merge_seeds(&program, text);
	assert_string_equal(text, "");
	assert_false(merge_is_matrix(&program));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(tests_are_counted),
		TEST(no_matrix_no_tally),
		TEST(seeds_are_named_if_they_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
