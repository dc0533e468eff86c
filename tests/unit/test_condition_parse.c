// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ktstr/ctprof_condition.h>

#include "base/cleanup.h"

static void expect(const char *text, const char *metric, double number)
{
	struct ktstr_ctprof_condition c;
	struct ktstr_error err = { 0 };

	if (ktstr_ctprof_condition_parse(text, &c, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	assert_string_equal(c.metric, metric);
	assert_true((c.number - number) * (c.number - number) <= number * number * 1e-12);
}

static void numbers_take_the_units_of_metrics(void **state)
{
	(void)state;
	expect("wait_sum > 20%", "wait_sum_ns", 20);
	expect("wait_sum_ns>20", "wait_sum_ns", 20);
	expect("  wait_sum  >=  1.5s  ", "wait_sum_ns", 1.5e9);
	expect("wait_sum > 2m", "wait_sum_ns", 120e9);
	expect("usage > 3ms in /x", "usage_us", 3000);
	expect("utime > 1s", "utime_ticks", 100);
	expect("rchar > 4KiB", "rchar_bytes", 4096);
	expect("wait_sum > 20 % in x", "wait_sum_ns", 20);
	expect("rchar > 2M", "rchar_bytes", 2 << 20);
	expect("nr_migrations > 2K", "nr_migrations", 2000);
	expect("cpu_efficiency < -5%", "cpu_efficiency", -0.05);
	expect("after pressure_cpu_some_avg10 > 12.5%", "pressure_cpu_some_avg10_bp", 1250);
	expect("cpu_max_khz > 2", "cpu_max_khz", 2);
}

static void parts_are_understood(void **state)
{
	struct ktstr_ctprof_condition c;

	(void)state;
	assert_int_equal(
		ktstr_ctprof_condition_parse("after wait_max <= 5ms in process a b*", &c, NULL), 0);
	assert_int_equal(c.subject, KTSTR_CTPROF_SUBJECT_AFTER);
	assert_true(c.less && c.or_equal && c.in_groups && !c.percent);
	assert_int_equal(c.by, KTSTR_CTPROF_BY_PROCESS);
	assert_string_equal(c.glob, "a b*");
	assert_int_equal(ktstr_ctprof_condition_parse("change nice > 1 in cgroup", &c, NULL), 0);
	assert_int_equal(c.subject, KTSTR_CTPROF_SUBJECT_CHANGE);
	assert_int_equal(c.by, KTSTR_CTPROF_BY_ALL);
	assert_string_equal(c.glob, "cgroup");
	assert_int_equal(ktstr_ctprof_condition_parse("before nice > 1 in in", &c, NULL), 0);
	assert_string_equal(c.glob, "in");
	assert_int_equal(ktstr_ctprof_condition_parse("throttled > 1s in *", &c, NULL), 0);
	assert_int_equal(c.by, KTSTR_CTPROF_BY_CGROUP);
}

static void nonsense_is_refused_with_a_reason(void **state)
{
	static const char *const rows[][2] = {
		{ "", "a metric expected at its end" },
		{ "speed > 1", "no metric 'speed'" },
		{ "wait_sun > 1", "did you mean 'wait_sum'" },
		{ "wait_sum", "one of > >= < <= expected" },
		{ "wait_sum = 1", "one of > >= < <= expected" },
		{ "wait_sum > ", "a number expected" },
		{ "wait_sum > x", "a number expected" },
		{ "wait_sum > 1.", "'in' and a group expected" },
		{ "wait_sum > 1 x", "has no unit 'x'" },
		{ "wait_sum > 1K", "has no unit 'K'" },
		{ "nr_migrations > 1s", "has no unit 's'" },
		{ "nice > 1 ,", "'in' and a group expected" },
		{ "wait_sum > 1 in", "a group expected" },
		{ "wait_sum > 1 in  ", "a group expected" },
		{ "after wait_sum > 1%", "only a change" },
		{ "cpu_affinity > 1", "is no number" },
		{ "throttled > 1s", "add 'in GLOB'" },
		{ "forks > 1 in x", "leave 'in' out" },
		{ "wait_sum > 1234567890123456789", "more than 18 digits" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ktstr_ctprof_condition c = { .number = 77 };
		struct ktstr_error err = { 0 };

		assert_int_equal(ktstr_ctprof_condition_parse(rows[i][0], &c, &err), -EINVAL);
		if (!strstr(err.text, rows[i][1]))
			fail_msg("'%s': %s", rows[i][0], err.text);
		assert_true(c.number == 77);
	}
}

static void long_groups_are_refused(void **state)
{
	char text[600] = "nice > 1 in ";
	struct ktstr_ctprof_condition c;

	(void)state;
	memset(text + 12, 'x', KTSTR_CTPROF_GLOB_BYTES - 1);
	assert_int_equal(ktstr_ctprof_condition_parse(text, &c, NULL), 0);
	text[12 + KTSTR_CTPROF_GLOB_BYTES - 1] = 'x';
	assert_int_equal(ktstr_ctprof_condition_parse(text, &c, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_take_the_units_of_metrics),
		cmocka_unit_test(parts_are_understood),
		cmocka_unit_test(nonsense_is_refused_with_a_reason),
		cmocka_unit_test(long_groups_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
