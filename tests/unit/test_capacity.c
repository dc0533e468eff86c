// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/scratch.h"
#include "run/capacity.h"

static struct scratch scratch;
static struct ktstr_error err;

static int set_up(void **state)
{
	(void)state;
	scratch_create(&scratch);
	scratch_text(&scratch, "proc/meminfo",
		     "MemTotal:       1000 kB\nMemFree:  1 kB\nMemAvailable:    800 kB\n");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scratch_destroy(&scratch);
	return 0;
}

static void expect(uint64_t total, uint64_t available)
{
	struct capacity c;

	assert_int_equal(capacity_read(scratch.dir, &c, &err), 0);
	assert_int_equal(c.total_bytes, total);
	assert_int_equal(c.available_bytes, available);
}

static void without_groups_it_is_the_machine(void **state)
{
	(void)state;
	expect(1000 << 10, 800 << 10);
	scratch_text(&scratch, "proc/self/cgroup", "0::/\n");
	expect(1000 << 10, 800 << 10);
	scratch_text(&scratch, "sys/fs/cgroup/memory.max", "max\n");
	scratch_text(&scratch, "sys/fs/cgroup/memory.current", "5\n");
	expect(1000 << 10, 800 << 10);
}

static void the_tightest_group_counts(void **state)
{
	(void)state;
	scratch_text(&scratch, "proc/self/cgroup", "0::/a/b\n");
	scratch_text(&scratch, "sys/fs/cgroup/a/memory.max", "500000\n");
	scratch_text(&scratch, "sys/fs/cgroup/a/memory.current", "400000\n");
	scratch_text(&scratch, "sys/fs/cgroup/a/b/memory.max", "600000\n");
	scratch_text(&scratch, "sys/fs/cgroup/a/b/memory.current", "100\n");
	expect(500000, 100000);
	/* The page cache gives way. */
	scratch_text(&scratch, "sys/fs/cgroup/a/memory.stat", "file 5\ninactive_file 150000\n");
	expect(500000, 250000);
	/* Over its limit there is nothing, not very much. */
	scratch_text(&scratch, "sys/fs/cgroup/a/b/memory.current", "700000\n");
	expect(500000, 0);
}

static void a_looser_group_changes_nothing(void **state)
{
	(void)state;
	scratch_text(&scratch, "proc/self/cgroup", "0::/a\n");
	scratch_text(&scratch, "sys/fs/cgroup/a/memory.max", "9000000\n");
	scratch_text(&scratch, "sys/fs/cgroup/a/memory.current", "0\n");
	expect(1000 << 10, 800 << 10);
}

static void version_one_counts_too(void **state)
{
	(void)state;
	scratch_text(&scratch, "proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/x\n");
	scratch_text(&scratch, "sys/fs/cgroup/memory/x/memory.limit_in_bytes", "300000\n");
	scratch_text(&scratch, "sys/fs/cgroup/memory/x/memory.usage_in_bytes", "200000\n");
	scratch_text(&scratch, "sys/fs/cgroup/memory/x/memory.stat",
		     "inactive_file 9\ntotal_inactive_file 50000\n");
	expect(300000, 150000);
}

static void nonsense_is_no_limit(void **state)
{
	(void)state;
	scratch_text(&scratch, "proc/self/cgroup", "0::\nx\n\n0::relative\n0::/a\n::::\n");
	scratch_text(&scratch, "sys/fs/cgroup/a/memory.max", "-3\n");
	scratch_text(&scratch, "sys/fs/cgroup/a/memory.current", "7\n");
	expect(1000 << 10, 800 << 10);
	scratch_text(&scratch, "proc/self/cgroup", "");
	expect(1000 << 10, 800 << 10);
}

static void no_reading_is_an_error(void **state)
{
	struct capacity c;

	(void)state;
	scratch_text(&scratch, "proc/meminfo", "MemTotal: 7 kB\nMemAvailable:\n");
	assert_int_equal(capacity_read(scratch.dir, &c, &err), -ENODATA);
	assert_int_equal(capacity_read("/nowhere", &c, &err), -ENOENT);
}

static void cpus_are_those_of_the_affinity(void **state)
{
	cpu_set_t before, one;
	struct capacity c;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	assert_int_equal(capacity_read("", &c, &err), 0);
	assert_int_equal(c.cpus, CPU_COUNT(&before));
	assert_true(c.available_bytes > 0 && c.available_bytes <= c.total_bytes);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	assert_int_equal(capacity_read("", &c, &err), 0);
	assert_int_equal(c.cpus, 1);
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(without_groups_it_is_the_machine, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(the_tightest_group_counts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_looser_group_changes_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(version_one_counts_too, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nonsense_is_no_limit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_reading_is_an_error, set_up, tear_down),
		cmocka_unit_test(cpus_are_those_of_the_affinity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
