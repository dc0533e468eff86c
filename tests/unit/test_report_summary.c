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

static void a_pass_is_one_line(void **state)
{
	struct result result = {
		.name = (char *)"t",
		.verdict = KTSTR_PASS,
		.duration_ns = 3000000000,
		.hello_ns = 2500000000,
		.body_ns = 40000000,
		.folder = (char *)"/x",
	};

	(void)state;
	summary_result(&out, &result, &(struct summary_style){ .details = true });
	assert_string_equal(strbuf_str(&out), "PASS      t  3.00 s (boot 2.50 s, body 40 ms)\n");
}

static void a_failure_has_its_details(void **state)
{
	struct result result = {
		.name = (char *)"t",
		.verdict = KTSTR_FAIL,
		.reasons = (char *)"why\n  more",
		.console_tail = (char *)"c\n",
		.output_tail = (char *)"o\n",
		.folder = (char *)"/x",
		.rerun = (char *)"./p -t t",
	};

	(void)state;
	summary_result(&out, &result, &(struct summary_style){ .details = true });
	assert_string_equal(strbuf_str(&out), "FAIL      t\n    why\n      more\n"
					      "    last lines of the guest console:\n      c\n"
					      "    last lines of the body's output:\n      o\n"
					      "    run again: ./p -t t\n    files:     /x\n");
}

static void details_can_be_left_out(void **state)
{
	struct result result = { .name = (char *)"t",
				 .verdict = KTSTR_FAIL,
				 .reasons = (char *)"why" };

	(void)state;
	summary_result(&out, &result, &(struct summary_style){ .details = false });
	assert_string_equal(strbuf_str(&out), "FAIL      t\n");
}

static void color_only_if_asked(void **state)
{
	struct result result = { .name = (char *)"t",
				 .verdict = KTSTR_SKIP,
				 .reasons = (char *)"need\nx" };

	(void)state;
	summary_result(&out, &result, &(struct summary_style){ .color = true });
	assert_string_equal(strbuf_str(&out), "\033[36mSKIP     \033[0m t  need\n");
}

static void totals_name_what_did_not_run(void **state)
{
	struct totals totals = { .planned = 4, .interrupted = true };

	(void)state;
	totals.counts[KTSTR_PASS] = 1;
	summary_totals(&out, &totals, "/x", false);
	assert_string_equal(strbuf_str(&out),
			    "1 passed, 0 failed, 0 errors, 0 skipped, 0 undecided in 0 us\n"
			    "interrupted: 3 of 4 tests did not run\nfiles: /x\n");
	strbuf_clear(&out);
	totals = (struct totals){ .kernel = "7.3", .qemu = "10.0.2", .accelerator = "TCG" };
	summary_totals(&out, &totals, "/x", false);
	assert_string_equal(strbuf_str(&out),
			    "0 passed, 0 failed, 0 errors, 0 skipped, 0 undecided in 0 us\n"
			    "guests: kernel 7.3, QEMU 10.0.2, TCG\nfiles: /x\n");
}

static void a_matrix_lists_what_did_not_pass(void **state)
{
	struct result result = { .name = (char *)"t", .verdict = KTSTR_PASS };
	const struct summary_style brief = { .brief = true };

	(void)state;
	summary_result(&out, &result, &brief);
	result.verdict = KTSTR_SKIP;
	summary_result(&out, &result, &brief);
	assert_string_equal(strbuf_str(&out), "");
	result.verdict = KTSTR_UNDECIDED;
	summary_result(&out, &result, &brief);
	assert_string_equal(strbuf_str(&out), "UNDECIDED t\n");
}

static void totals_say_what_many_runs_had_in_common(void **state)
{
	struct totals totals = { .planned = 9,
				 .counts = { [KTSTR_PASS] = 3, [KTSTR_FAIL] = 1 },
				 .failed_fast = true,
				 .seeds = "1..9",
				 .tally = "t: 3 of 4 passed\n" };

	(void)state;
	summary_totals(&out, &totals, NULL, false);
	assert_string_equal(strbuf_str(&out),
			    "t: 3 of 4 passed\n3 passed, 1 failed, 0 errors, 0 skipped, 0 "
			    "undecided in 0 us\nstopped at the first failure: 5 of 9 tests did "
			    "not run\nseeds: 1..9\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_pass_is_one_line, clear),
		cmocka_unit_test_teardown(a_failure_has_its_details, clear),
		cmocka_unit_test_teardown(details_can_be_left_out, clear),
		cmocka_unit_test_teardown(color_only_if_asked, clear),
		cmocka_unit_test_teardown(totals_name_what_did_not_run, clear),
		cmocka_unit_test_teardown(a_matrix_lists_what_did_not_pass, clear),
		cmocka_unit_test_teardown(totals_say_what_many_runs_had_in_common, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
