// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ctprof/procfs.h"

#define SPAN(text) ((struct span){ text, sizeof(text) - 1 })
#define HEAD \
	"x (1, #threads: 1)\n-------------------------------------------------------------------\n"

static struct ktstr_ctprof_thread t;

static int64_t value(enum ktstr_ctprof_metric metric)
{
	int64_t v = 0;

	assert_true(ktstr_ctprof_get(&t, metric, &v));
	return v;
}

static bool absent(enum ktstr_ctprof_metric metric)
{
	int64_t v;

	return !ktstr_ctprof_get(&t, metric, &v);
}

static int parse(struct span text)
{
	memset(&t, 0, sizeof(t));
	return procfs_parse_sched(text, &t);
}

static void times_become_exact_nanoseconds(void **state)
{
	(void)state;
	assert_int_equal(parse(SPAN(HEAD "wait_sum   :  182.560904\nwait_max : 0.000001\n"
					 "exec_max : 9223372036854.775807\n")),
			 0);
	assert_int_equal(value(KTSTR_CTPROF_WAIT_SUM), 182560904);
	assert_int_equal(value(KTSTR_CTPROF_WAIT_MAX), 1);
	assert_int_equal(value(KTSTR_CTPROF_EXEC_MAX), INT64_MAX);
}

static void names_of_old_and_new_kernels(void **state)
{
	(void)state;
	assert_int_equal(parse(SPAN(HEAD "se.statistics.wait_sum : 1.000000\n"
					 "se.nr_migrations : 4\nse.slice : 2800000\n"
					 "ext.enabled : 1\nnr_wakeups : 9\n")),
			 0);
	assert_int_equal(value(KTSTR_CTPROF_WAIT_SUM), 1000000);
	assert_int_equal(value(KTSTR_CTPROF_NR_MIGRATIONS), 4);
	assert_int_equal(value(KTSTR_CTPROF_FAIR_SLICE), 2800000);
	assert_int_equal(value(KTSTR_CTPROF_EXT_ENABLED), 1);
	assert_int_equal(value(KTSTR_CTPROF_NR_WAKEUPS), 9);
	assert_true(absent(KTSTR_CTPROF_NR_WAKEUPS_LOCAL));
}

static void voluntary_sleep_needs_both_sums(void **state)
{
	(void)state;
	assert_int_equal(parse(SPAN(HEAD "sum_sleep_runtime : 5.000000\n"
					 "sum_block_runtime : 2.000000\n")),
			 0);
	assert_int_equal(value(KTSTR_CTPROF_VOLUNTARY_SLEEP), 3000000);
	assert_int_equal(value(KTSTR_CTPROF_BLOCK_SUM), 2000000);
	assert_int_equal(parse(SPAN(HEAD "sum_sleep_runtime : 1.000000\n"
					 "sum_block_runtime : 2.000000\n")),
			 0);
	assert_int_equal(value(KTSTR_CTPROF_VOLUNTARY_SLEEP), 0);
	assert_int_equal(parse(SPAN(HEAD "sum_sleep_runtime : 1.000000\n")), 0);
	assert_true(absent(KTSTR_CTPROF_VOLUNTARY_SLEEP));
}

static void a_bad_line_costs_one_value(void **state)
{
	static const char *const bad[] = { "-1.000000", "1.00000",
					   "1.0000000", "1.00000x",
					   "1",		".000000",
					   "",		"9223372036854.775808" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[256];

		snprintf(text, sizeof(text), HEAD "wait_sum : %s\nwait_count : 3\n", bad[i]);
		assert_int_equal(parse((struct span){ text, strlen(text) }), -EINVAL);
		assert_true(absent(KTSTR_CTPROF_WAIT_SUM));
		assert_int_equal(value(KTSTR_CTPROF_WAIT_COUNT), 3);
	}
	assert_int_equal(parse(SPAN(HEAD "wait_count : -3\nwait_max 5.000000\n")), -EINVAL);
	assert_true(absent(KTSTR_CTPROF_WAIT_COUNT));
	assert_true(absent(KTSTR_CTPROF_WAIT_MAX));
}

static void a_name_cannot_pose_as_a_value(void **state)
{
	(void)state;
	assert_int_equal(
		parse(SPAN("a\nnr_wakeups : 5\n (1, #threads: 1)\n"
			   "-------------------------------------------------------------------\n"
			   "nr_wakeups : 7\n")),
		0);
	assert_int_equal(value(KTSTR_CTPROF_NR_WAKEUPS), 7);
	assert_int_equal(
		parse(SPAN(
			"a\n--\nslice : 5\n (1, #threads: 1)\n"
			"-------------------------------------------------------------------\n")),
		0);
	assert_true(absent(KTSTR_CTPROF_FAIR_SLICE));
	assert_int_equal(parse(SPAN("nr_wakeups : 5\nwait_count : 5\n")), -EINVAL);
	assert_true(absent(KTSTR_CTPROF_NR_WAKEUPS));
	assert_int_equal(parse(SPAN("")), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_become_exact_nanoseconds),
		cmocka_unit_test(names_of_old_and_new_kernels),
		cmocka_unit_test(voluntary_sleep_needs_both_sums),
		cmocka_unit_test(a_bad_line_costs_one_value),
		cmocka_unit_test(a_name_cannot_pose_as_a_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
