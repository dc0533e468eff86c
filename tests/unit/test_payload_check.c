// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "work/payload_check.h"

static struct payload_finding findings[PAYLOAD_FINDINGS];
static struct ktstr_error err;
static struct metrics metrics;

static const struct ktstr_payload plain = {
	.name = "plain",
	.binary = "dir/plain-bin",
	.args = { "--threads", "8" },
	.exits = { { 3, "BYTES was 0" } },
};

static void arguments_come_after_the_declared(void **state)
{
	const char **argv = NULL;

	(void)state;
	assert_int_equal(payload_arguments(&plain, KTSTR_ARGS("-x", "5"), &argv, &err), 0);
	assert_string_equal(argv[0], "plain-bin");
	assert_string_equal(argv[1], "--threads");
	assert_string_equal(argv[2], "8");
	assert_string_equal(argv[3], "-x");
	assert_string_equal(argv[4], "5");
	assert_null(argv[5]);
	free(argv);
	assert_int_equal(payload_arguments(&plain, NULL, &argv, &err), 0);
	assert_null(argv[3]);
	free(argv);
}

static void full_lists_fit(void **state)
{
	struct ktstr_payload p = { .name = "p", .binary = "p" };
	const char *added[KTSTR_PAYLOAD_CALL_ARGS + 2] = { NULL };
	const char **argv = NULL;

	(void)state;
	for (int i = 0; i < KTSTR_PAYLOAD_ARGS; i++)
		p.args[i] = "declared";
	for (int i = 0; i < KTSTR_PAYLOAD_CALL_ARGS; i++)
		added[i] = "added";
	assert_int_equal(payload_arguments(&p, added, &argv, &err), 0);
	assert_string_equal(argv[KTSTR_PAYLOAD_ARGS], "declared");
	assert_string_equal(argv[KTSTR_PAYLOAD_ARGS + KTSTR_PAYLOAD_CALL_ARGS], "added");
	assert_null(argv[KTSTR_PAYLOAD_ARGS + KTSTR_PAYLOAD_CALL_ARGS + 1]);
	free(argv);
	added[KTSTR_PAYLOAD_CALL_ARGS] = "one more";
	assert_int_equal(payload_arguments(&p, added, &argv, &err), -EINVAL);
	assert_non_null(strstr(err.text, "more than 64"));
}

static int try_flag(const struct ktstr_payload *p, const char *word)
{
	const char **argv = NULL;
	int r = payload_arguments(p, KTSTR_ARGS("7", word), &argv, &err);

	free(argv);
	return r;
}

static void only_listed_flags_are_allowed(void **state)
{
	const struct ktstr_payload p = {
		.name = "worker",
		.binary = "w",
		.args = { "--always" },
		.flags = { "--churn", "-n" },
	};

	(void)state;
	assert_int_equal(try_flag(&p, "--churn"), 0);
	assert_int_equal(try_flag(&p, "--churn=5"), 0);
	assert_int_equal(try_flag(&p, "-n"), 0);
	assert_int_equal(try_flag(&p, "churn"), 0);
	assert_int_equal(try_flag(&p, "--churning"), -EINVAL);
	assert_int_equal(try_flag(&p, "--chur"), -EINVAL);
	assert_int_equal(try_flag(&p, "-"), -EINVAL);
	assert_int_equal(try_flag(&p, "-5"), -EINVAL);
	assert_int_equal(try_flag(&p, "--always"), -EINVAL);
	assert_string_equal(err.text,
			    "payload 'worker' does not allow '--always'; its flags are: --churn, "
			    "-n");
	assert_int_equal(try_flag(&plain, "--anything"), 0);
}

static void senseless_declarations_are_refused(void **state)
{
	static const struct {
		struct ktstr_payload payload;
		const char *text;
	} bad[] = {
		{ { .binary = "b" }, "no name" },
		{ { .name = "n" }, "no binary" },
		{ { .name = "n", .binary = "dir/" }, "no binary" },
		{ { .name = "n", .binary = "b", .checks = { { KTSTR_CHECK_PRESENT, "m", 0 } } },
		  "KTSTR_OUTPUT_JSON" },
		{ { .name = "n",
		    .binary = "b",
		    .output = KTSTR_OUTPUT_JSON,
		    .checks = { { KTSTR_CHECK_AT_MOST, NULL, 0 } } },
		  "names no metric" },
		{ { .name = "n",
		    .binary = "b",
		    .output = KTSTR_OUTPUT_JSON,
		    .checks = { { KTSTR_CHECK_AT_MOST, "m", NAN } } },
		  "NaN" },
		{ { .name = "n", .binary = "b", .checks = { { 77, "m", 0 } } }, "unknown kind 77" },
		{ { .name = "n", .binary = "b", .metrics = { { "m", "s", 0, true, 2, 1 } } },
		  "2 to 1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(payload_validate(&bad[i].payload, &err), -EINVAL);
		assert_non_null(strstr(err.text, bad[i].text));
	}
	assert_int_equal(payload_validate(&plain, &err), 0);
}

static void ends_are_told_with_their_meaning(void **state)
{
	char text[128];

	(void)state;
	payload_describe_end(&plain, &(struct ktstr_proc_result){ .exited = true, .exit_code = 3 },
			     text, sizeof(text));
	assert_string_equal(text, "exited with 3 (BYTES was 0)");
	payload_describe_end(&plain, &(struct ktstr_proc_result){ .exited = true }, text,
			     sizeof(text));
	assert_string_equal(text, "exited with 0");
	payload_describe_end(&plain, &(struct ktstr_proc_result){ .signal = 9 }, text,
			     sizeof(text));
	assert_string_equal(text, "was killed by signal 9 (Killed)");
	payload_describe_end(&plain, &(struct ktstr_proc_result){ 0 }, text, sizeof(text));
	assert_non_null(strstr(text, "something else"));
}

static enum ktstr_verdict judge_exit(double wanted, struct ktstr_proc_result result)
{
	struct ktstr_payload p = plain;

	p.checks[0] = (struct ktstr_payload_check){ KTSTR_CHECK_EXIT, NULL, wanted };
	assert_int_equal(payload_judge(&p, &(struct payload_end){ .result = &result }, findings),
			 1);
	return findings[0].verdict;
}

static void exit_status_is_no_signal(void **state)
{
	(void)state;
	assert_int_equal(judge_exit(0, (struct ktstr_proc_result){ .exited = true }), KTSTR_PASS);
	assert_int_equal(
		judge_exit(0, (struct ktstr_proc_result){ .exited = true, .exit_code = 3 }),
		KTSTR_FAIL);
	assert_string_equal(findings[0].text, "payload 'plain' exits with 0");
	assert_string_equal(findings[0].actual, "exited with 3 (BYTES was 0)");
	assert_string_equal(findings[0].bound, "0");
	assert_int_equal(
		judge_exit(3, (struct ktstr_proc_result){ .exited = true, .exit_code = 3 }),
		KTSTR_PASS);
	/* Not exited: the code does not count. */
	assert_int_equal(judge_exit(0, (struct ktstr_proc_result){ .signal = 9, .killed = true }),
			 KTSTR_FAIL);
	assert_non_null(strstr(findings[0].why, "killed by the test"));
	assert_int_equal(judge_exit(9, (struct ktstr_proc_result){ .signal = 9 }), KTSTR_FAIL);
	assert_int_equal(judge_exit(0, (struct ktstr_proc_result){ 0 }), KTSTR_ERROR);
}

static const struct ktstr_proc_result fine = { .exited = true };

static enum ktstr_verdict judge_metric(enum ktstr_payload_check_kind kind, const char *json,
				       bool bounded)
{
	const struct ktstr_payload p = {
		.name = "p",
		.binary = "p",
		.output = KTSTR_OUTPUT_JSON,
		.checks = { { kind, "m", 5 } },
		.metrics = { { "m", "ns", KTSTR_LOWER_IS_BETTER, bounded, 1, 100 } },
	};
	int r = metrics_parse(json, strlen(json), NULL, &metrics, &err);
	const struct payload_end end = {
		.result = &fine,
		.metrics = r == 0 ? &metrics : NULL,
		.metrics_error = r < 0 ? err.text : NULL,
		.nothing_said = r == -ENODATA,
	};
	unsigned int nr = payload_judge(&p, &end, findings);

	assert_true(nr == 1 || (bounded && nr == 2));
	return findings[nr - 1].verdict;
}

static void bounds_are_inclusive(void **state)
{
	(void)state;
	assert_int_equal(judge_metric(KTSTR_CHECK_AT_MOST, "{\"m\":5}", false), KTSTR_PASS);
	assert_int_equal(judge_metric(KTSTR_CHECK_AT_MOST, "{\"m\":5.0001}", false), KTSTR_FAIL);
	assert_string_equal(findings[0].text, "payload 'p': m <= 5");
	assert_string_equal(findings[0].actual, "5.0001");
	assert_string_equal(findings[0].bound, "5");
	assert_int_equal(judge_metric(KTSTR_CHECK_AT_LEAST, "{\"m\":5}", false), KTSTR_PASS);
	assert_int_equal(judge_metric(KTSTR_CHECK_AT_LEAST, "{\"m\":4.9999}", false), KTSTR_FAIL);
	assert_int_equal(judge_metric(KTSTR_CHECK_PRESENT, "{\"m\":0}", false), KTSTR_PASS);
}

static void missing_is_never_zero(void **state)
{
	(void)state;
	assert_int_equal(judge_metric(KTSTR_CHECK_AT_MOST, "{}", false), KTSTR_UNDECIDED);
	assert_string_equal(findings[0].why, "it was not reported");
	assert_string_equal(findings[0].actual, "");
	assert_int_equal(judge_metric(KTSTR_CHECK_AT_MOST, "", false), KTSTR_UNDECIDED);
	assert_non_null(strstr(findings[0].why, "there is no JSON"));
	assert_int_equal(judge_metric(KTSTR_CHECK_AT_MOST, "{\"m\":NaN}", false), KTSTR_UNDECIDED);
	assert_non_null(strstr(findings[0].why, "NaN"));
}

static void present_fails_when_it_surely_is_not(void **state)
{
	struct metrics many = { .dropped = 7 };
	const struct ktstr_payload p = {
		.name = "p",
		.binary = "p",
		.output = KTSTR_OUTPUT_JSON,
		.checks = { { KTSTR_CHECK_PRESENT, "m", 0 } },
	};
	const struct ktstr_proc_result cut = { .exited = true, .output_cut = true };

	(void)state;
	assert_int_equal(judge_metric(KTSTR_CHECK_PRESENT, "{}", false), KTSTR_FAIL);
	assert_int_equal(judge_metric(KTSTR_CHECK_PRESENT, "hello", false), KTSTR_FAIL);
	assert_int_equal(judge_metric(KTSTR_CHECK_PRESENT, "{\"m\":NaN}", false), KTSTR_UNDECIDED);
	assert_int_equal(payload_judge(&p,
				       &(struct payload_end){ .result = &fine, .metrics = &many },
				       findings),
			 1);
	assert_int_equal(findings[0].verdict, KTSTR_UNDECIDED);
	assert_non_null(strstr(findings[0].why, "7 were dropped"));
	many.dropped = 0;
	assert_int_equal(payload_judge(&p,
				       &(struct payload_end){ .result = &cut, .metrics = &many },
				       findings),
			 1);
	assert_int_equal(findings[0].verdict, KTSTR_UNDECIDED);
}

static void insane_values_are_no_results(void **state)
{
	(void)state;
	assert_int_equal(judge_metric(KTSTR_CHECK_AT_MOST, "{\"m\":1}", true), KTSTR_PASS);
	assert_int_equal(judge_metric(KTSTR_CHECK_AT_LEAST, "{\"m\":100}", true), KTSTR_PASS);
	/* Holds as a bound, and still is no result. */
	assert_int_equal(judge_metric(KTSTR_CHECK_AT_MOST, "{\"m\":0.5}", true), KTSTR_ERROR);
	assert_int_equal(findings[0].verdict, KTSTR_ERROR);
	assert_string_equal(findings[0].bound, "1 to 100");
	assert_int_equal(judge_metric(KTSTR_CHECK_AT_LEAST, "{\"m\":100.5}", true), KTSTR_ERROR);
	assert_int_equal(judge_metric(KTSTR_CHECK_AT_LEAST, "{}", true), KTSTR_UNDECIDED);
}

static void wanted_names_are_each_once(void **state)
{
	const struct ktstr_payload p = {
		.name = "p",
		.binary = "p",
		.checks = { { KTSTR_CHECK_EXIT, NULL, 0 },
			    { KTSTR_CHECK_AT_MOST, "a", 0 },
			    { KTSTR_CHECK_AT_LEAST, "a", 0 } },
		.metrics = { { .name = "a" }, { .name = "b" } },
	};
	const char *names[PAYLOAD_FINDINGS + 1];

	(void)state;
	payload_wanted_metrics(&p, names);
	assert_string_equal(names[0], "a");
	assert_string_equal(names[1], "b");
	assert_null(names[2]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments_come_after_the_declared),
		cmocka_unit_test(full_lists_fit),
		cmocka_unit_test(only_listed_flags_are_allowed),
		cmocka_unit_test(senseless_declarations_are_refused),
		cmocka_unit_test(ends_are_told_with_their_meaning),
		cmocka_unit_test(exit_status_is_no_signal),
		cmocka_unit_test(bounds_are_inclusive),
		cmocka_unit_test(missing_is_never_zero),
		cmocka_unit_test(present_fails_when_it_surely_is_not),
		cmocka_unit_test(insane_values_are_no_results),
		cmocka_unit_test(wanted_names_are_each_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
