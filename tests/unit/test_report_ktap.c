// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/report.h"

static struct strbuf out = STRBUF_INIT;

static int clear(void **state)
{
	(void)state;
	strbuf_deinit(&out);
	return 0;
}

static void plan_comes_first(void **state)
{
	(void)state;
	ktap_begin(&out, 3);
	assert_string_equal(strbuf_str(&out), "KTAP version 1\n1..3\n");
	strbuf_deinit(&out);
	ktap_begin(&out, 0);
	assert_string_equal(strbuf_str(&out),
			    "KTAP version 1\n1..0 # SKIP this shard has no runs\n");
}

static void passes_carry_notes_and_values(void **state)
{
	struct result result = {
		.name = (char *)"t",
		.about = (char *)"what\nholds",
		.verdict = KTSTR_PASS,
		.end = "finished",
		.reasons = (char *)"",
		.notes = json_pack("[s]", "a\nb"),
		.values = json_pack("[{s:s,s:f,s:s},{s:s,s:i,s:s}]", "name", "gap_ns", "value", 0.1,
				    "unit", "ns", "name", "n", "value", 3, "unit", ""),
		.nr_notes = 5,
		.nr_values = 2,
		.duration_ns = 1500000,
		.folder = (char *)"/x",
		.rerun = (char *)"./p -t t",
	};

	(void)state;
	ktap_result(&out, 2, &result);
	assert_string_equal(strbuf_str(&out), "# what holds\n"
					      "# value gap_ns = 0.1 ns\n"
					      "# value n = 3\n"
					      "# note a\n# note b\n"
					      "# 4 more notes\n"
					      "# took 1 ms\n"
					      "ok 2 t\n");
	json_decref(result.notes);
	json_decref(result.values);
}

static void what_the_guest_says_cannot_drive_the_terminal(void **state)
{
	struct result result = {
		.name = (char *)"t",
		.verdict = KTSTR_PASS,
		.end = "finished",
		.reasons = (char *)"",
		.notes = json_pack("[s]", "sh\x1b[2J\rok 9 x"),
		.values = json_pack("[{s:s,s:i,s:s}]", "name", "n\x1b]0;", "value", 3, "unit",
				    "\x07\nok 8 y"),
		.nr_notes = 1,
		.nr_values = 1,
	};

	(void)state;
	ktap_result(&out, 1, &result);
	assert_string_equal(strbuf_str(&out), "# value n\\x1b]0; = 3 \\x07 ok 8 y\n"
					      "# note sh\\x1b[2J\\x0dok 9 x\n"
					      "ok 1 t\n");
	json_decref(result.notes);
	json_decref(result.values);
}

static void failures_say_why_and_how_to_repeat(void **state)
{
	struct result result = {
		.name = (char *)"t",
		.verdict = KTSTR_FAIL,
		.end = "panic",
		.reasons = (char *)"first\n  second",
		.console_tail = (char *)"c1\nc2\n",
		.output_tail = (char *)"o1\n",
		.folder = (char *)"/run/t",
		.rerun = (char *)"./p -t t",
	};

	(void)state;
	ktap_result(&out, 1, &result);
	assert_string_equal(strbuf_str(&out), "# first\n#   second\n"
					      "# last lines of the guest console:\n"
					      "#   c1\n#   c2\n"
					      "# last lines of the body's output:\n"
					      "#   o1\n"
					      "# run again: ./p -t t\n"
					      "# files: /run/t\n"
					      "not ok 1 t\n");
}

static void result_line(enum ktstr_verdict verdict, const char *end, const char *wanted)
{
	struct result result = {
		.name = (char *)"t",
		.verdict = verdict,
		.reasons = (char *)"why # ok 1\tx\nmore",
		.duration_ns = 1,
	};
	const char *line;

	result_set_end(&result, end);
	strbuf_clear(&out);
	ktap_result(&out, 4, &result);
	line = strstr(strbuf_str(&out), "# took 0 us\n") + 12;
	assert_string_equal(line, wanted);
}

static void every_verdict_has_its_line(void **state)
{
	(void)state;
	result_line(KTSTR_PASS, "finished", "ok 4 t\n");
	result_line(KTSTR_FAIL, "checks", "not ok 4 t\n");
	result_line(KTSTR_FAIL, "timeout", "not ok 4 t # TIMEOUT why   ok 1 x\n");
	result_line(KTSTR_ERROR, "agent", "not ok 4 t # ERROR why   ok 1 x\n");
	result_line(KTSTR_SKIP, "skipped", "ok 4 t # SKIP why   ok 1 x\n");
	result_line(KTSTR_UNDECIDED, "undecided", "ok 4 t # SKIP UNDECIDED: why   ok 1 x\n");
}

static void exact_runs_name_seed_and_replay(void **state)
{
	struct result result = {
		.name = (char *)"t",
		.id = (char *)"t@5",
		.repetition = 1,
		.seed = 5,
		.mode = "exact",
		.verdict = KTSTR_FAIL,
		.reasons = (char *)"why",
		.folder = (char *)"/a b/t@5",
	};

	(void)state;
	ktap_result(&out, 1, &result);
	assert_string_equal(strbuf_str(&out), "# why\n# replay: ktstr replay '/a b/t@5'\n"
					      "# files: /a b/t@5\n# seed 5\nnot ok 1 t@5\n");
}

static void a_plan_that_is_called_off_says_so(void **state)
{
	struct totals totals = { .planned = 2, .counts = { [KTSTR_FAIL] = 1 } };

	(void)state;
	ktap_end(&out, &totals);
	assert_string_equal(strbuf_str(&out), "");
	totals.failed_fast = true;
	ktap_end(&out, &totals);
	assert_string_equal(strbuf_str(&out), "Bail out! stopped at the first failure\n");
	strbuf_clear(&out);
	totals.planned = 1;
	ktap_end(&out, &totals);
	assert_string_equal(strbuf_str(&out), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(plan_comes_first, clear),
		cmocka_unit_test_teardown(passes_carry_notes_and_values, clear),
		cmocka_unit_test_teardown(what_the_guest_says_cannot_drive_the_terminal, clear),
		cmocka_unit_test_teardown(failures_say_why_and_how_to_repeat, clear),
		cmocka_unit_test_teardown(every_verdict_has_its_line, clear),
		cmocka_unit_test_teardown(exact_runs_name_seed_and_replay, clear),
		cmocka_unit_test_teardown(a_plan_that_is_called_off_says_so, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
