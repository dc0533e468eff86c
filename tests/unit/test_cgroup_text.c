// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "ctprof/cgroup_text.h"

#define SPAN(text)                     \
	(struct span)                  \
	{                              \
		text, sizeof(text) - 1 \
	}

static struct ktstr_ctprof_cgroup c;

static int clean(void **state)
{
	(void)state;
	memset(&c, 0, sizeof(c));
	return 0;
}

/* INT64_MIN for absent. */
static int64_t get(enum ktstr_ctprof_cgroup_metric metric)
{
	int64_t v = INT64_MIN;

	ktstr_ctprof_cgroup_get(&c, metric, &v);
	return v;
}

#define VALUE(id) get(KTSTR_CTPROF_CGROUP_##id)
#define ABSENT	  INT64_MIN

static void the_whole_tree_comes_first(void **state)
{
	static struct cgroup_mounts m;

	(void)state;
	cgroup_find_mounts(SPAN("31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw\n"
				"32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
				"40 31 0:38 /../.. /mnt rw - cgroup2 cgroup2 rw\n"
				"41 31 0:38 / /sys/fs/un\\040ified rw shared:1 - cgroup2 none rw\n"
				"42 31 0:38 / /again rw - cgroup2 none rw\n"),
			   &m);
	assert_int_equal(m.nr, 2);
	assert_string_equal(m.list[0].path, "/sys/fs/un ified");
	assert_string_equal(m.list[0].root, "/");
	assert_string_equal(m.list[1].path, "/mnt");
	assert_string_equal(m.list[1].root, "/../..");
	cgroup_find_mounts(SPAN("1 2 3 / / - x y\nx\n"), &m);
	assert_int_equal(m.nr, 0);
	cgroup_find_mounts(SPAN("1 2 3 /a /x - cgroup2 y\n1 2 3 /b /x - cgroup2 y\n"
				"1 2 3 /c /x - cgroup2 y\n1 2 3 /d /x - cgroup2 y\n"
				"1 2 3 /e /x - cgroup2 y\n1 2 3 / /x - cgroup2 y\n"),
			   &m);
	assert_int_equal(m.nr, CGROUP_MOUNTS);
	assert_string_equal(m.list[0].root, "/");
	assert_string_equal(m.list[3].root, "/c");
}

static void only_what_is_mounted_is_reached(void **state)
{
	(void)state;
	assert_string_equal(cgroup_below("/", "/"), "");
	assert_string_equal(cgroup_below("/a/b", "/"), "a/b");
	assert_null(cgroup_below("/..", "/"));
	assert_null(cgroup_below("/../x", "/"));
	assert_string_equal(cgroup_below("/..x", "/"), "..x");
	/* A part of the tree, or more than our namespace has. */
	assert_string_equal(cgroup_below("/a/b", "/a"), "b");
	assert_string_equal(cgroup_below("/a", "/a"), "");
	assert_null(cgroup_below("/ab", "/a"));
	assert_null(cgroup_below("/", "/a"));
	assert_string_equal(cgroup_below("/../x", "/.."), "x");
	assert_null(cgroup_below("/../../x", "/.."));
	assert_null(cgroup_below("/x", "/.."));
}

static void cpu_files_are_read(void **state)
{
	(void)state;
	assert_int_equal(cgroup_parse_cpu_stat(SPAN("usage_usec 10\nuser_usec 4\nsystem_usec 6\n"
						    "core_sched.force_idle_usec 8\nnr_periods 3\n"
						    "nr_throttled 2\nthrottled_usec 1\nnew 5\n"),
					       &c),
			 0);
	assert_int_equal(VALUE(USAGE), 10);
	assert_int_equal(VALUE(USER), 4);
	assert_int_equal(VALUE(FORCEIDLE), 8);
	assert_int_equal(VALUE(THROTTLED), 1);
	assert_true(VALUE(BURST) == ABSENT);
	assert_int_equal(cgroup_parse_cpu_stat(SPAN("usage_usec -1\nuser_usec 5\n"), &c), -EINVAL);
	assert_int_equal(VALUE(USAGE), 10);
	assert_int_equal(VALUE(USER), 5);
	assert_int_equal(cgroup_parse_cpu_max(SPAN("max 100000\n"), &c), 0);
	assert_true(VALUE(MAX_QUOTA) == KTSTR_CTPROF_UNLIMITED);
	assert_int_equal(VALUE(MAX_PERIOD), 100000);
	assert_int_equal(cgroup_parse_cpu_max(SPAN("20000 100000\n"), &c), 0);
	assert_int_equal(VALUE(MAX_QUOTA), 20000);
	assert_int_equal(cgroup_parse_cpu_max(SPAN("20000\n"), &c), -EINVAL);
	assert_int_equal(cgroup_parse_cpu_max(SPAN("20000 0\n"), &c), -EINVAL);
}

static void numbers_and_limits_are_told_apart(void **state)
{
	int64_t v = 77;

	(void)state;
	assert_int_equal(cgroup_parse_number(SPAN("4096\n"), &v), 0);
	assert_int_equal(v, 4096);
	assert_int_equal(cgroup_parse_number(SPAN("-4\n"), &v), 0);
	assert_int_equal(v, -4);
	assert_int_equal(cgroup_parse_number(SPAN("max\n"), &v), 0);
	assert_true(v == KTSTR_CTPROF_UNLIMITED);
	v = 77;
	assert_int_equal(cgroup_parse_number(SPAN("maximum\n"), &v), -EINVAL);
	assert_int_equal(cgroup_parse_number(SPAN(""), &v), -EINVAL);
	assert_int_equal(cgroup_parse_number(SPAN("\n"), &v), -EINVAL);
	assert_int_equal(v, 77);
	assert_int_equal(cgroup_parse_percent(SPAN("12.34\n"), &v), 0);
	assert_int_equal(v, 1234);
	assert_int_equal(cgroup_parse_percent(SPAN("max\n"), &v), 0);
	assert_int_equal(v, 10000);
	assert_int_equal(cgroup_parse_percent(SPAN("12.3\n"), &v), -EINVAL);
	assert_int_equal(cgroup_parse_percent(SPAN("12.345\n"), &v), -EINVAL);
}

static void memory_is_read_by_key(void **state)
{
	(void)state;
	assert_int_equal(cgroup_parse_memory_stat(SPAN("anon 1\nfile 2\nanon_thp 3\npgscan 4\n"
						       "pgscan_direct 5\nkernel_stack 6\nnew 7\n"),
						  &c),
			 0);
	assert_int_equal(VALUE(MEMORY_STAT_ANON), 1);
	assert_int_equal(VALUE(MEMORY_STAT_FILE), 2);
	assert_int_equal(VALUE(MEMORY_STAT_ANON_THP), 3);
	assert_int_equal(VALUE(MEMORY_STAT_PGSCAN), 4);
	assert_int_equal(VALUE(MEMORY_STAT_PGSCAN_DIRECT), 5);
	assert_int_equal(VALUE(MEMORY_STAT_KERNEL_STACK), 6);
	assert_true(VALUE(MEMORY_STAT_KERNEL) == ABSENT);
	assert_int_equal(cgroup_parse_memory_stat(SPAN("shmem x\nsock 9\n"), &c), -EINVAL);
	assert_true(VALUE(MEMORY_STAT_SHMEM) == ABSENT);
	assert_int_equal(VALUE(MEMORY_STAT_SOCK), 9);
	assert_int_equal(
		cgroup_parse_memory_events(SPAN("low 0\nhigh 2\nmax 3\noom 4\noom_kill 5\n"), &c),
		0);
	assert_int_equal(VALUE(MEMORY_EVENTS_LOW), 0);
	assert_int_equal(VALUE(MEMORY_EVENTS_OOM_KILL), 5);
	assert_true(VALUE(MEMORY_EVENTS_OOM_GROUP_KILL) == ABSENT);
}

static void devices_add_up(void **state)
{
	(void)state;
	assert_int_equal(cgroup_parse_io_stat(SPAN("8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 "
						   "dios=6 cost.usage=9\n253:1 \n"
						   "8:16 rbytes=10 wbytes=20 rios=30\n"),
					      &c),
			 0);
	assert_int_equal(VALUE(IO_RBYTES), 11);
	assert_int_equal(VALUE(IO_WBYTES), 22);
	assert_int_equal(VALUE(IO_RIOS), 33);
	assert_int_equal(VALUE(IO_DIOS), 6);
	/* Half a sum is no sum. */
	clean(NULL);
	assert_int_equal(cgroup_parse_io_stat(SPAN("8:0 rbytes=1\n8:16 rbytes=-1\n"), &c), -EINVAL);
	assert_int_equal(cgroup_parse_io_stat(SPAN("8:0 rbytes=9223372036854775807\n"
						   "8:1 rbytes=1\n"),
					      &c),
			 -EINVAL);
	assert_int_equal(cgroup_parse_io_stat(SPAN("junk\n"), &c), -EINVAL);
	assert_true(VALUE(IO_RBYTES) == ABSENT);
	assert_int_equal(cgroup_parse_io_stat(SPAN(""), &c), 0);
	assert_int_equal(VALUE(IO_RBYTES), 0);
}

static void pressure_lands_in_its_rows(void **state)
{
	(void)state;
	assert_int_equal(
		cgroup_parse_pressure(SPAN("some avg10=0.01 avg60=0.02 avg300=0.03 total=4\n"
					   "full avg10=0.05 avg60=0.06 avg300=0.07 total=8\n"),
				      &c, KTSTR_CTPROF_CGROUP_PRESSURE_IO_SOME_AVG10),
		0);
	assert_int_equal(VALUE(PRESSURE_IO_SOME_AVG10), 1);
	assert_int_equal(VALUE(PRESSURE_IO_SOME_TOTAL), 4);
	assert_int_equal(VALUE(PRESSURE_IO_FULL_AVG10), 5);
	assert_int_equal(VALUE(PRESSURE_IO_FULL_TOTAL), 8);
	assert_true(VALUE(PRESSURE_MEMORY_FULL_TOTAL) == ABSENT);
	assert_int_equal(
		cgroup_parse_pressure(SPAN("full avg10=0.05 avg60=0.06 avg300=0.07 total=8\n"), &c,
				      KTSTR_CTPROF_CGROUP_PRESSURE_IRQ_FULL_AVG10),
		0);
	assert_int_equal(VALUE(PRESSURE_IRQ_FULL_AVG10), 5);
	assert_int_equal(VALUE(PRESSURE_IRQ_FULL_TOTAL), 8);
	/* An older kernel writes no "full" for the CPU. */
	assert_int_equal(
		cgroup_parse_pressure(SPAN("some avg10=0.05 avg60=0.06 avg300=0.07 total=8\n"), &c,
				      KTSTR_CTPROF_CGROUP_PRESSURE_CPU_SOME_AVG10),
		0);
	assert_true(VALUE(PRESSURE_CPU_FULL_AVG10) == ABSENT);
}

static void every_key_of_three_kernels_is_known(void **state)
{
	static const char *const kernels[] = { "6.1.0-50", "6.12.107", "7.3.4" };
	static const size_t memory_keys[] = { 47, 60, 71 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;
		struct ktstr_error err;
		char proc[96], root[96];
		size_t nr = 0;

		snprintf(proc, sizeof(proc), "tests/data/ctprof/%s/proc", kernels[i]);
		snprintf(root, sizeof(root), "tests/data/ctprof/%s/cgroup", kernels[i]);
		assert_int_equal(ktstr_ctprof_capture(&(struct ktstr_ctprof_opts){ .proc = proc,
										   .cgroup = root },
						      &snap, &err),
				 0);
		c = *ktstr_ctprof_find_cgroup(snap, "/load/a b");
		for (unsigned int m = 0; m < KTSTR_CTPROF_NR_CGROUP_METRICS; m++)
			nr += !strcmp(ktstr_ctprof_cgroup_metric_info(m)->source, "memory.stat") &&
			      get(m) != ABSENT;
		assert_int_equal(nr, memory_keys[i]);
		assert_int_equal(VALUE(MAX_QUOTA), 20000);
		assert_int_equal(VALUE(MAX_BURST), 0);
		assert_int_equal(VALUE(MEMORY_HIGH), 100 << 20);
		assert_true(VALUE(MEMORY_MAX) == KTSTR_CTPROF_UNLIMITED);
		assert_int_equal(VALUE(MEMORY_LOW), 0);
		assert_true(VALUE(MEMORY_PEAK) > 4096);
		assert_int_equal(VALUE(PIDS_MAX), 77);
		assert_int_equal(VALUE(WEIGHT_NICE), -4);
		assert_int_equal(VALUE(IDLE), 0);
		assert_int_equal(VALUE(IO_WBYTES), 0);
		assert_true(VALUE(PRESSURE_CPU_SOME_TOTAL) > 0);
		assert_true(VALUE(PRESSURE_IRQ_FULL_TOTAL) == ABSENT);
		assert_string_equal(c.texts[KTSTR_CTPROF_CGROUP_TEXT_CPUS_EFFECTIVE], "0");
		/* Utilisation clamps came into Debian's cloud kernel later. */
		assert_int_equal(VALUE(UCLAMP_MAX) == 10000, i == 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_whole_tree_comes_first, clean),
		cmocka_unit_test_setup(only_what_is_mounted_is_reached, clean),
		cmocka_unit_test_setup(cpu_files_are_read, clean),
		cmocka_unit_test_setup(numbers_and_limits_are_told_apart, clean),
		cmocka_unit_test_setup(memory_is_read_by_key, clean),
		cmocka_unit_test_setup(devices_add_up, clean),
		cmocka_unit_test_setup(pressure_lands_in_its_rows, clean),
		cmocka_unit_test_setup(every_key_of_three_kernels_is_known, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
