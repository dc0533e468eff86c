// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "check/findings.h"

static const struct judge_finding gap = {
	.verdict = KTSTR_FAIL,
	.check = KTSTR_JUDGE_gap_ns,
	.subject = "worker hogs/2",
	.step = "load",
	.has_value = true,
	.value = 812e6,
	.bound = 1e8,
	.from = "test",
	.text = "hogs/2 (allowed 0-3) did nothing for 812 ms",
};

static void is(json_t *object, const char *wanted)
{
	json_t *parsed = json_loads(wanted, 0, NULL);
	char *text = json_dumps(object, 0);

	assert_non_null(parsed);
	if (!json_equal(object, parsed))
		fail_msg("wanted %s, got %s", wanted, text);
	json_decref(parsed);
	json_decref(object);
	free(text);
}

static void a_finding_is_told_whole(void **state)
{
	struct judge_finding error = { .verdict = KTSTR_ERROR,
				       .subject = "the run",
				       .text = "cut" };

	(void)state;
	is(finding_to_json(&gap),
	   "{\"check\": \"gap_ns\", \"verdict\": \"FAIL\", \"subject\": \"worker hogs/2\","
	   " \"from\": \"test\", \"text\": \"hogs/2 (allowed 0-3) did nothing for 812 ms\","
	   " \"step\": \"load\", \"value\": 812000000.0, \"bound\": 100000000.0, \"unit\": \"ns\"}");
	is(finding_to_json(&error),
	   "{\"check\": \"scenario\", \"verdict\": \"ERROR\", \"subject\": \"the run\","
	   " \"from\": \"\", \"text\": \"cut\"}");
}

static void missing_values_are_left_out(void **state)
{
	struct judge_finding f = gap;
	json_t *object;

	(void)state;
	f.has_value = false;
	object = finding_to_json(&f);
	assert_null(json_object_get(object, "value"));
	json_decref(object);
	object = finding_to_check(&f);
	assert_null(json_object_get(object, "actual"));
	assert_non_null(json_object_get(object, "bound"));
	json_decref(object);
}

static void a_finding_is_a_check_too(void **state)
{
	struct judge_finding f = gap;
	json_t *check = finding_to_check(&f);

	(void)state;
	assert_true(json_is_false(json_object_get(check, "ok")));
	assert_string_equal(json_string_value(json_object_get(check, "text")),
			    "worker hogs/2: gap_ns at most 100.000 ms");
	assert_string_equal(json_string_value(json_object_get(check, "actual")), "812.000 ms");
	assert_string_equal(json_string_value(json_object_get(check, "why")), gap.text);
	assert_null(json_object_get(check, "error"));
	json_decref(check);
	f.verdict = KTSTR_ERROR;
	check = finding_to_check(&f);
	assert_true(json_is_true(json_object_get(check, "error")));
	json_decref(check);
	f.verdict = KTSTR_PASS;
	check = finding_to_check(&f);
	assert_true(json_is_true(json_object_get(check, "ok")));
	json_decref(check);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_finding_is_told_whole),
		cmocka_unit_test(missing_values_are_left_out),
		cmocka_unit_test(a_finding_is_a_check_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
