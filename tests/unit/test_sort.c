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

#include <ktstr/ctprof_compare.h>

#include "tests/lib/made_snapshot.h"

static struct made *made;
static struct ktstr_ctprof_comparison *comparison;

static int set_up(void **state)
{
	static const struct {
		const char *name;
		int64_t run, wait; /* -1: absent */
	} rows[] = { { "bb", 50, 1 }, { "aa", 50, 2 }, { "cc", -1, 3 }, { "dd", 70, -1 } };
	static const struct ktstr_ctprof_compare_opts opts = { .group_by =
								       KTSTR_CTPROF_BY_PROCESS };
	struct ktstr_ctprof_side side;

	(void)state;
	made = made_create();
	for (uint32_t i = 0; i < 4; i++) {
		struct ktstr_ctprof_thread *t =
			made_thread(made, i + 1, i + 1, rows[i].name, "t", "/");

		if (rows[i].run >= 0)
			made_put(made, t, KTSTR_CTPROF_RUN_TIME, rows[i].run);
		if (rows[i].wait >= 0)
			made_put(made, t, KTSTR_CTPROF_WAIT_TIME, rows[i].wait);
	}
	made_thread(made, 9, 9, "dd", "t", "/");
	side = (struct ktstr_ctprof_side){ .snapshot = made_snapshot(made) };
	return ktstr_ctprof_compare(&side, NULL, &opts, &comparison, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	ktstr_ctprof_comparison_destroy(comparison);
	made_destroy(made);
	return 0;
}

static void expect(const char *keys, const char *wanted)
{
	struct ktstr_error err = { 0 };
	char order[16] = "";

	if (ktstr_ctprof_comparison_sort(comparison, keys, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < comparison->blocks[1].nr_groups; i++)
		strncat(order, comparison->blocks[1].groups[i].label, 1);
	if (strcmp(order, wanted))
		fail_msg("by %s: %s, not %s", keys, order, wanted);
}

static void keys_order_groups_and_absent_ones_are_last(void **state)
{
	(void)state;
	expect(NULL, "dabc");
	expect("run_time", "dabc");
	expect("run_time:asc", "abdc");
	expect("run_time_ns:desc,wait_time:desc", "dabc");
	expect("run_time,wait_time:asc", "dbac");
	expect("wait_time", "cabd");
	expect("group", "abcd");
	expect("group:desc", "dcba");
	expect("threads,group", "dabc");
	expect("threads:asc,group:desc", "cbad");
	expect("cpu_efficiency", "bacd");
	expect("uptime", "abcd");
}

static void bad_keys_are_refused_and_move_nothing(void **state)
{
	static const char *const rows[][2] = {
		{ "", "empty" },
		{ "run_time,", "empty" },
		{ ",run_time", "empty" },
		{ "speed", "no metric 'speed'" },
		{ "run_time:up", "neither" },
		{ "run_time:", "neither" },
		{ "threads,threads", "twice" },
		{ "cpu_affinity", "no number" },
		{ "nice,policy,state,minflt,majflt,syscr,syscw,rchar,wchar", "more than 8" },
	};

	(void)state;
	expect("group", "abcd");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ktstr_error err = { 0 };

		assert_int_equal(ktstr_ctprof_comparison_sort(comparison, rows[i][0], &err),
				 -EINVAL);
		if (!strstr(err.text, rows[i][1]))
			fail_msg("'%s': %s", rows[i][0], err.text);
		assert_string_equal(comparison->blocks[1].groups[0].label, "aa");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_order_groups_and_absent_ones_are_last),
		cmocka_unit_test(bad_keys_are_refused_and_move_nothing),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
