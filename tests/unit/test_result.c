// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/result.h"

static const struct ktstr_test test = { .about = "holds" };
static const struct ktstr_entry entry = {
	.name = "t",
	.test_size = sizeof(struct ktstr_test),
	.test = &test,
};

static void evidence_becomes_a_result(void **state)
{
	struct evidence e;
	struct result result = { 0 };
	json_t *object;

	(void)state;
	assert_int_equal(evidence_init(&e), 0);
	e.on_host = e.started = e.body_ended = true;
	e.start_ns = 100;
	e.started_ns = 200;
	e.ended_ns = 700;
	e.nr_checks = 2;
	e.body_exit = 4;
	strbuf_addstr(&e.output_tail, "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n");
	assert_int_equal(result_from_evidence(&e, &entry, &result), 0);
	evidence_deinit(&e);
	assert_int_equal(result.verdict, KTSTR_FAIL);
	assert_string_equal(result.end, "exited");
	assert_string_equal(result.output_tail, "3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n");
	assert_int_equal(result.body_ns, 500);
	assert_int_equal(result.hello_ns, 0);
	object = result_to_json(&result);
	assert_string_equal(json_string_value(json_object_get(object, "type")), "result");
	assert_string_equal(json_string_value(json_object_get(object, "verdict")), "FAIL");
	assert_string_equal(json_string_value(json_object_get(object, "about")), "holds");
	assert_int_equal(json_integer_value(json_object_get(object, "version")), RESULT_VERSION);
	/* Never reached is absent, not zero. */
	assert_null(json_object_get(object, "hello_ns"));
	assert_null(json_object_get(object, "kernel"));
	json_decref(object);
	result_deinit(&result);
}

static void a_result_without_a_run(void **state)
{
	struct result result = { 0 };
	struct ktstr_entry foreign = entry;

	(void)state;
	foreign.test_size--;
	foreign.test = NULL;
	assert_int_equal(result_without_run(&foreign, KTSTR_ERROR, "a\x01\nb", &result), 0);
	assert_null(result.about);
	assert_string_equal(result.end, "not-started");
	assert_string_equal(result.reasons, "a\\x01\nb");
	result_deinit(&result);
}

static void exit_codes_have_an_order(void **state)
{
	struct totals totals = { 0 };
	unsigned int *counts = totals.counts;

	(void)state;
	assert_int_equal(totals_exit(&totals), KTSTR_EXIT_SKIP);
	totals.empty_shard = true;
	assert_int_equal(totals_exit(&totals), KTSTR_EXIT_PASS);
	totals.input_damaged = true;
	assert_int_equal(totals_exit(&totals), KTSTR_EXIT_HARNESS);
	totals.empty_shard = totals.input_damaged = false;
	counts[KTSTR_SKIP] = 1;
	assert_int_equal(totals_exit(&totals), KTSTR_EXIT_SKIP);
	counts[KTSTR_PASS] = 1;
	assert_int_equal(totals_exit(&totals), KTSTR_EXIT_PASS);
	counts[KTSTR_UNDECIDED] = 1;
	assert_int_equal(totals_exit(&totals), KTSTR_EXIT_UNDECIDED);
	counts[KTSTR_ERROR] = 2;
	totals.nr_no_capacity = 2;
	assert_int_equal(totals_exit(&totals), KTSTR_EXIT_CAPACITY);
	totals.nr_no_capacity = 1;
	assert_int_equal(totals_exit(&totals), KTSTR_EXIT_HARNESS);
	counts[KTSTR_FAIL] = 1;
	assert_int_equal(totals_exit(&totals), KTSTR_EXIT_FAIL);
	totals.output_lost = true;
	assert_int_equal(totals_exit(&totals), KTSTR_EXIT_HARNESS);
	totals.time_over = true;
	assert_int_equal(totals_exit(&totals), KTSTR_EXIT_TIMEOUT);
	totals.interrupted = true;
	assert_int_equal(totals_exit(&totals), KTSTR_EXIT_INTERRUPTED);
}

static void totals_are_summed(void **state)
{
	struct totals totals = { .planned = 2 };
	json_t *object;

	(void)state;
	totals_add(&totals, &(struct result){ .verdict = KTSTR_PASS });
	totals_add(&totals, &(struct result){ .verdict = KTSTR_ERROR, .no_capacity = true });
	object = totals_to_json(&totals);
	assert_int_equal(json_integer_value(json_object_get(object, "passed")), 1);
	assert_int_equal(json_integer_value(json_object_get(object, "errors")), 1);
	assert_int_equal(json_integer_value(json_object_get(object, "exit")), KTSTR_EXIT_CAPACITY);
	json_decref(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(evidence_becomes_a_result),
		cmocka_unit_test(a_result_without_a_run),
		cmocka_unit_test(exit_codes_have_an_order),
		cmocka_unit_test(totals_are_summed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
