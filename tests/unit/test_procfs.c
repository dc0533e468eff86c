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

static struct ktstr_ctprof_thread t;
static struct procfs_extra extra;

static int clean(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	memset(&extra, 0, sizeof(extra));
	return 0;
}

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

#define TAIL                                                              \
	" S 1 2 3 0 -1 2097152 11 0 13 0 15 16 0 0 -11 -5 21 0 23 24 25 " \
	"18446744073709551615 27 28 29 30 31 32 33 34 35 36 37 38 17 3 10 2 41 42 43 44\n"

static void stat_gives_identity_and_counters(void **state)
{
	(void)state;
	assert_int_equal(procfs_parse_stat(SPAN("99 (worker)" TAIL), &t, &extra), 0);
	assert_string_equal(extra.comm, "worker");
	assert_true(extra.kernel_thread);
	assert_false(extra.zombie);
	assert_int_equal(value(KTSTR_CTPROF_STATE), 'S');
	assert_int_equal(value(KTSTR_CTPROF_MINFLT), 11);
	assert_int_equal(value(KTSTR_CTPROF_MAJFLT), 13);
	assert_int_equal(value(KTSTR_CTPROF_UTIME), 15);
	assert_int_equal(value(KTSTR_CTPROF_STIME), 16);
	assert_int_equal(value(KTSTR_CTPROF_PRIORITY), -11);
	assert_int_equal(value(KTSTR_CTPROF_NICE), -5);
	assert_int_equal(value(KTSTR_CTPROF_NR_THREADS), 21);
	assert_int_equal(value(KTSTR_CTPROF_START_TIME), 23);
	assert_int_equal(value(KTSTR_CTPROF_PROCESSOR), 3);
	assert_int_equal(value(KTSTR_CTPROF_RT_PRIORITY), 10);
	assert_int_equal(value(KTSTR_CTPROF_POLICY), 2);
}

static void stat_splits_at_the_last_bracket(void **state)
{
	(void)state;
	assert_int_equal(procfs_parse_stat(SPAN("9 (a b) R 1 (c)" TAIL), &t, &extra), 0);
	assert_string_equal(extra.comm, "a b) R 1 (c");
	assert_int_equal(procfs_parse_stat(SPAN("9 (new\nli\\ne)" TAIL), &t, &extra), 0);
	assert_string_equal(extra.comm, "new\nli\\ne");
	assert_int_equal(procfs_parse_stat(SPAN("9 ()" TAIL), &t, &extra), 0);
	assert_string_equal(extra.comm, "");
}

static void broken_stat_sets_nothing(void **state)
{
	static const char *const broken[] = {
		"",
		"9",
		"9 (x",
		"9 x)" TAIL,
		") (" TAIL,
		"9 (x)",
		"9 (x) S 1 2 3",
		"9 (x) S 1 2 3 0 -1 2097152 11 x 13 0 15 16 0 0 -11 -5 21 0 23 24 25 26 27 28 29 30 31 32 "
		"33 34 35 36 37 38 17 3 10 2 41",
		/* start time that does not fit */
		"9 (x) S 1 2 3 0 -1 2097152 11 0 13 0 15 16 0 0 -11 -5 21 0 99999999999999999999 24 25 26 "
		"27 28 29 30 31 32 33 34 35 36 37 38 17 3 10 2 41",
		"9 (xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx)" TAIL,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct span s = { broken[i], strlen(broken[i]) };

		clean(NULL);
		assert_int_equal(procfs_parse_stat(s, &t, &extra), -EINVAL);
		for (unsigned int m = 0; m < KTSTR_CTPROF_NR_METRICS; m++)
			assert_true(absent(m));
	}
}

static void status_gives_switches_and_affinity(void **state)
{
	(void)state;
	assert_int_equal(
		procfs_parse_status(SPAN("Name:\tvoluntary_ctxt_switches:\\n9\nTracerPid:\t77\n"
					 "VmPeak:\t    3060 kB\nVmHWM:\t 1776 kB\nThreads:\t1\n"
					 "Cpus_allowed:\tf\nCpus_allowed_list:\t0-3,8\n"
					 "voluntary_ctxt_switches:\t12\n"
					 "nonvoluntary_ctxt_switches:\t34\n"),
				    &t, &extra),
		0);
	assert_memory_equal(extra.affinity.at, "0-3,8", 5);
	assert_int_equal(extra.affinity.len, 5);
	assert_int_equal(value(KTSTR_CTPROF_HIWATER_VM), 3060 * 1024);
	assert_int_equal(value(KTSTR_CTPROF_HIWATER_RSS), 1776 * 1024);
	assert_int_equal(value(KTSTR_CTPROF_VOLUNTARY_CSW), 12);
	assert_int_equal(value(KTSTR_CTPROF_NONVOLUNTARY_CSW), 34);
}

static void a_bad_status_line_costs_one_value(void **state)
{
	(void)state;
	assert_int_equal(procfs_parse_status(SPAN("VmHWM:\t-1 kB\nvoluntary_ctxt_switches:\t12\n"
						  "nonvoluntary_ctxt_switches:\t\n"),
					     &t, &extra),
			 -EINVAL);
	assert_true(absent(KTSTR_CTPROF_HIWATER_RSS));
	assert_true(absent(KTSTR_CTPROF_NONVOLUNTARY_CSW));
	assert_int_equal(value(KTSTR_CTPROF_VOLUNTARY_CSW), 12);
}

static void schedstat_is_three_numbers(void **state)
{
	(void)state;
	assert_int_equal(procfs_parse_schedstat(SPAN("5457219 679990 7\n"), &t), 0);
	assert_int_equal(value(KTSTR_CTPROF_RUN_TIME), 5457219);
	assert_int_equal(value(KTSTR_CTPROF_WAIT_TIME), 679990);
	assert_int_equal(value(KTSTR_CTPROF_TIMESLICES), 7);
	clean(NULL);
	assert_int_equal(procfs_parse_schedstat(SPAN("0 0\n"), &t), -EINVAL);
	assert_int_equal(procfs_parse_schedstat(SPAN("-1 0 0\n"), &t), -EINVAL);
	assert_int_equal(procfs_parse_schedstat(SPAN("1 2x 3\n"), &t), -EINVAL);
	assert_int_equal(procfs_parse_schedstat(SPAN(""), &t), -EINVAL);
	assert_true(absent(KTSTR_CTPROF_RUN_TIME));
}

#define IO "rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: 5\nwrite_bytes: 6\n"

static void io_is_whole_or_nothing(void **state)
{
	(void)state;
	assert_int_equal(procfs_parse_io(SPAN(IO), &t), -EINVAL);
	assert_int_equal(procfs_parse_io(SPAN(IO "cancelled_write_bytes: -7\n"), &t), -EINVAL);
	assert_true(absent(KTSTR_CTPROF_RCHAR));
	assert_int_equal(procfs_parse_io(SPAN(IO "cancelled_write_bytes: 7\n"), &t), 0);
	for (int i = 0; i < 7; i++)
		assert_int_equal(value(KTSTR_CTPROF_RCHAR + i), i + 1);
}

static void cgroup_takes_the_v2_line(void **state)
{
	struct span path;

	(void)state;
	assert_int_equal(procfs_parse_cgroup(SPAN("4:memory:/x\n0::/load/a b\n"), &path), 0);
	assert_int_equal(path.len, strlen("/load/a b"));
	assert_memory_equal(path.at, "/load/a b", path.len);
	assert_int_equal(procfs_parse_cgroup(SPAN("4:memory:/x\n"), &path), -ENOENT);
	assert_int_equal(procfs_parse_cgroup(SPAN("0::nowhere\n"), &path), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(stat_gives_identity_and_counters, clean),
		cmocka_unit_test_setup(stat_splits_at_the_last_bracket, clean),
		cmocka_unit_test_setup(broken_stat_sets_nothing, clean),
		cmocka_unit_test_setup(status_gives_switches_and_affinity, clean),
		cmocka_unit_test_setup(a_bad_status_line_costs_one_value, clean),
		cmocka_unit_test_setup(schedstat_is_three_numbers, clean),
		cmocka_unit_test_setup(io_is_whole_or_nothing, clean),
		cmocka_unit_test_setup(cgroup_takes_the_v2_line, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
