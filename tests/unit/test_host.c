// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include <ktstr/ctprof.h>

#define ABSENT INT64_MIN

static int64_t get(const struct ktstr_ctprof *snap, enum ktstr_ctprof_host_metric metric)
{
	int64_t v = ABSENT;

	ktstr_ctprof_host_get(&snap->host, metric, &v);
	return v;
}

#define VALUE(id) get(snap, KTSTR_CTPROF_HOST_##id)
#define TEXT(id)  (snap->host.texts[KTSTR_CTPROF_HOST_TEXT_##id])

static struct ktstr_ctprof *capture(const char *kernel, bool with_sys)
{
	struct ktstr_ctprof_opts opts = { .cgroup = "/nonexistent" };
	struct ktstr_ctprof *snap = NULL;
	struct ktstr_error err;
	char proc[96], sys[96];

	snprintf(proc, sizeof(proc), "tests/data/ctprof/%s/proc", kernel);
	snprintf(sys, sizeof(sys), "tests/data/ctprof/%s/sys", kernel);
	opts.proc = proc;
	opts.sys = with_sys ? sys : NULL;
	assert_int_equal(ktstr_ctprof_capture(&opts, &snap, &err), 0);
	return snap;
}

static void the_machine_is_described(void **state)
{
	_cleanup_ctprof_ struct ktstr_ctprof *snap = capture("7.3.4", true);

	(void)state;
	assert_int_equal(VALUE(CPUS_POSSIBLE), 4);
	assert_int_equal(VALUE(CPUS_ONLINE), 4);
	assert_int_equal(VALUE(CORES), 2);
	assert_int_equal(VALUE(LLCS), 2);
	assert_int_equal(VALUE(SMT_ACTIVE), 1);
	assert_int_equal(VALUE(MEMORY_TOTAL), 340404ll * 1024);
	assert_int_equal(VALUE(SWAP_TOTAL), 0);
	assert_int_equal(VALUE(HUGEPAGES_TOTAL), 0);
	assert_int_equal(VALUE(HUGEPAGES_FREE), 0);
	assert_int_equal(VALUE(HUGEPAGE_SIZE), 2 << 20);
	assert_int_equal(VALUE(UPTIME), 24510000000);
	assert_int_equal(VALUE(LOAD_1), 16);
	assert_int_equal(VALUE(TASKS), 84);
	assert_int_equal(VALUE(CPU_USER), 452);
	assert_int_equal(VALUE(CPU_SOFTIRQ), 33);
	assert_int_equal(VALUE(CONTEXT_SWITCHES), 4699);
	assert_int_equal(VALUE(FORKS), 304);
	assert_int_equal(VALUE(SOFTIRQS), 5967);
	assert_int_equal(VALUE(INTERRUPTS), 9126);
	assert_string_equal(TEXT(ONLINE), "0-3");
	assert_string_equal(TEXT(ISOLATED), "");
	assert_string_equal(TEXT(SMT_CONTROL), "on");
	assert_string_equal(TEXT(THP), "never");
	assert_non_null(strstr(TEXT(CMDLINE), "rdinit=/init"));
	assert_non_null(strstr(TEXT(VERSION), "7.3.4"));
	assert_non_null(TEXT(CPU_MODEL));
	assert_string_equal(TEXT(CPU_VENDOR), "GenuineIntel");
	assert_int_equal(strlen(TEXT(BOOT_ID)), 36);
	/* The text is of the machine that was recorded, so uname of this one says nothing. */
	assert_null(TEXT(ARCH));
	assert_true(VALUE(PRESSURE_CPU_SOME_TOTAL) > 0);
	assert_int_equal(VALUE(PRESSURE_MEMORY_FULL_AVG300), 0);
	assert_true(VALUE(PRESSURE_IRQ_FULL_TOTAL) == ABSENT);
}

static void tunables_are_of_their_kernel(void **state)
{
	_cleanup_ctprof_ struct ktstr_ctprof *new = capture("7.3.4", true);
	_cleanup_ctprof_ struct ktstr_ctprof *old = capture("6.1.0-50", true);
	struct ktstr_ctprof *snap = new;

	(void)state;
	assert_int_equal(VALUE(BASE_SLICE), 2100000);
	assert_true(VALUE(LATENCY) == ABSENT);
	assert_int_equal(VALUE(MIGRATION_COST), 500000);
	assert_int_equal(VALUE(RT_RUNTIME), 1000000);
	assert_string_equal(TEXT(PREEMPT), "lazy");
	assert_non_null(strstr(TEXT(FEATURES), "PLACE_LAG"));
	snap = old;
	assert_true(VALUE(BASE_SLICE) == ABSENT);
	assert_int_equal(VALUE(LATENCY), 18000000);
	assert_int_equal(VALUE(WAKEUP_GRANULARITY), 3000000);
	assert_string_equal(TEXT(PREEMPT), "voluntary");
}

static void a_loaded_scheduler_is_seen(void **state)
{
	_cleanup_ctprof_ struct ktstr_ctprof *new = capture("7.3.4", true);
	_cleanup_ctprof_ struct ktstr_ctprof *old = capture("6.12.107", true);
	struct ktstr_ctprof *snap = new;

	(void)state;
	assert_string_equal(TEXT(EXT_STATE), "enabled");
	assert_string_equal(TEXT(EXT_OPS), "ktstr");
	assert_int_equal(VALUE(EXT_SWITCH_ALL), 1);
	assert_int_equal(VALUE(EXT_ENABLE_SEQ), 1);
	assert_int_equal(VALUE(EXT_EV_ENQ_SKIP_EXITING), 28);
	assert_int_equal(VALUE(EXT_EV_BYPASS_DURATION), 124417187);
	assert_int_equal(VALUE(EXT_EV_SUB_RESCUE), 0);
	snap = old;
	assert_null(TEXT(EXT_STATE));
	assert_true(VALUE(EXT_EV_ENQ_SKIP_EXITING) == ABSENT);
}

static void without_sysfs_its_values_are_absent(void **state)
{
	_cleanup_ctprof_ struct ktstr_ctprof *snap = capture("7.3.4", false);

	(void)state;
	assert_true(VALUE(CPUS_ONLINE) == ABSENT);
	assert_true(VALUE(EXT_SWITCH_ALL) == ABSENT);
	assert_null(TEXT(ONLINE));
	assert_int_equal(VALUE(TASKS), 84);
}

static void this_machine_can_be_read(void **state)
{
	const struct ktstr_ctprof_opts opts = { .pid = 1, .no_jemalloc = true };
	struct ktstr_ctprof *snap = NULL;
	struct ktstr_error err;
	int64_t online;

	(void)state;
	assert_int_equal(ktstr_ctprof_capture(&opts, &snap, &err), 0);
	online = VALUE(CPUS_ONLINE);
	assert_true(online > 0 && VALUE(UPTIME) > 0 && VALUE(MEMORY_TOTAL) > 0);
	assert_true(VALUE(CORES) == ABSENT || (VALUE(CORES) > 0 && VALUE(CORES) <= online));
	assert_true(VALUE(LLCS) == ABSENT || (VALUE(LLCS) > 0 && VALUE(LLCS) <= online));
	assert_non_null(TEXT(ARCH));
	ktstr_ctprof_destroy(snap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_machine_is_described),
		cmocka_unit_test(tunables_are_of_their_kernel),
		cmocka_unit_test(a_loaded_scheduler_is_seen),
		cmocka_unit_test(without_sysfs_its_values_are_absent),
		cmocka_unit_test(this_machine_can_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
