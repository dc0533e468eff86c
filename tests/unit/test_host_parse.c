// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "ctprof/host.h"

#define SPAN(text)                     \
	(struct span)                  \
	{                              \
		text, sizeof(text) - 1 \
	}

static struct ktstr_ctprof_host h;

static int clean(void **state)
{
	(void)state;
	memset(&h, 0, sizeof(h));
	return 0;
}

static int64_t get(enum ktstr_ctprof_host_metric metric)
{
	int64_t v = INT64_MIN;

	ktstr_ctprof_host_get(&h, metric, &v);
	return v;
}

#define VALUE(id) get(KTSTR_CTPROF_HOST_##id)
#define ABSENT	  INT64_MIN

static void memory_is_in_bytes(void **state)
{
	(void)state;
	host_parse_meminfo(SPAN("MemTotal:       100 kB\nMemFree:  1\nMemAvailable: x kB\n"
				"SwapTotal: 9223372036854775807 kB\nSwapFree: 2 kB\n"
				"HugePages_Total:       7\nHugePages_Free: 5 kB\n"
				"Hugepagesize:       2048 kB\n"),
			   &h);
	assert_int_equal(VALUE(MEMORY_TOTAL), 102400);
	assert_true(VALUE(MEMORY_FREE) == ABSENT);
	assert_true(VALUE(MEMORY_AVAILABLE) == ABSENT);
	assert_true(VALUE(SWAP_TOTAL) == ABSENT);
	assert_int_equal(VALUE(SWAP_FREE), 2048);
	assert_int_equal(VALUE(HUGEPAGES_TOTAL), 7);
	assert_true(VALUE(HUGEPAGES_FREE) == ABSENT);
	assert_int_equal(VALUE(HUGEPAGE_SIZE), 2 << 20);
}

static void uptime_and_load_are_whole_or_absent(void **state)
{
	(void)state;
	assert_int_equal(host_parse_uptime(SPAN("1.50 3.00\n"), &h), 0);
	assert_int_equal(VALUE(UPTIME), 1500000000);
	clean(NULL);
	assert_int_equal(host_parse_uptime(SPAN("1.5 3.00\n"), &h), -EINVAL);
	assert_int_equal(host_parse_uptime(SPAN("99999999999.00 3.00\n"), &h), -EINVAL);
	assert_true(VALUE(UPTIME) == ABSENT);
	assert_int_equal(host_parse_loadavg(SPAN("1.00 2.05 0.50 3/123 99\n"), &h), 0);
	assert_int_equal(VALUE(LOAD_1), 100);
	assert_int_equal(VALUE(LOAD_5), 205);
	assert_int_equal(VALUE(LOAD_15), 50);
	assert_int_equal(VALUE(TASKS), 123);
	clean(NULL);
	assert_int_equal(host_parse_loadavg(SPAN("1.00 2.05 0.50 3\n"), &h), -EINVAL);
	assert_true(VALUE(LOAD_1) == ABSENT);
}

static void an_older_stat_lacks_columns(void **state)
{
	(void)state;
	host_parse_stat(SPAN("cpu  1 2 3 4\ncpu0 9 9 9 9\nintr 5 1 2\nctxt x\nprocs_running 7\n"),
			&h);
	assert_int_equal(VALUE(CPU_USER), 1);
	assert_int_equal(VALUE(CPU_IDLE), 4);
	assert_true(VALUE(CPU_IOWAIT) == ABSENT);
	assert_int_equal(VALUE(INTERRUPTS), 5);
	assert_true(VALUE(CONTEXT_SWITCHES) == ABSENT);
	assert_int_equal(VALUE(PROCS_RUNNING), 7);
}

static void events_have_the_kernels_names(void **state)
{
	(void)state;
	host_parse_ext_events(SPAN("SCX_EV_SELECT_CPU_FALLBACK 3\nSCX_EV_BYPASS_DURATION 4\n"
				   "SCX_EV_SELECT_CPU 5\nSCX_EV_NEW 6\nSCX_EV_REENQ_IMMED x\n"
				   "SCX_EV_INSERT_NOT_OWNED\0 8\nSCX_EV_SUB_RESCUE 7\n"),
			      &h);
	assert_int_equal(VALUE(EXT_EV_SELECT_CPU_FALLBACK), 3);
	assert_int_equal(VALUE(EXT_EV_BYPASS_DURATION), 4);
	assert_true(VALUE(EXT_EV_REENQ_IMMED) == ABSENT);
	assert_true(VALUE(EXT_EV_INSERT_NOT_OWNED) == ABSENT);
	assert_int_equal(VALUE(EXT_EV_SUB_RESCUE), 7);
}

static void the_chosen_word_is_in_brackets(void **state)
{
	static const struct {
		const char *text, *chosen;
	} rows[] = {
		{ "always [madvise] never\n", "madvise" },
		{ "none (voluntary) full \n", "voluntary" },
		{ "plain\nsecond [x]\n", "plain" },
		{ "[open\n", "[open" },
		{ "[]\n", "" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct span s =
			host_chosen_word((struct span){ rows[i].text, strlen(rows[i].text) });

		assert_int_equal(s.len, strlen(rows[i].chosen));
		assert_memory_equal(s.at, rows[i].chosen, s.len);
	}
}

static void lists_are_counted(void **state)
{
	static const struct {
		const char *text;
		int64_t count;
	} rows[] = {
		{ "0\n", 1 },	 { "0-3\n", 4 }, { "0-3,8,10-11\n", 7 }, { "\n", 0 },
		{ "3-1\n", -1 }, { "0-\n", -1 }, { "x\n", -1 },		 { "0,\n", -1 },
		{ "0 1\n", -1 }, { "", -1 },	 { "0-99999999\n", -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct span s = { rows[i].text, strlen(rows[i].text) };
		int64_t count = -1;

		assert_int_equal(host_count_list(s, &count) == 0, rows[i].count >= 0);
		assert_int_equal(count, rows[i].count);
	}
}

static void cpuinfo_gives_its_first_cpu(void **state)
{
	struct span value;

	(void)state;
	assert_int_equal(host_parse_cpuinfo(SPAN("model\t\t: 1\nmodel name\t: A B\n"
						 "model name\t: C\n"),
					    "model name", &value),
			 0);
	assert_int_equal(value.len, 3);
	assert_memory_equal(value.at, "A B", 3);
	assert_int_equal(host_parse_cpuinfo(SPAN("model name\n"), "model name", &value), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(memory_is_in_bytes, clean),
		cmocka_unit_test_setup(uptime_and_load_are_whole_or_absent, clean),
		cmocka_unit_test_setup(an_older_stat_lacks_columns, clean),
		cmocka_unit_test_setup(events_have_the_kernels_names, clean),
		cmocka_unit_test_setup(the_chosen_word_is_in_brackets, clean),
		cmocka_unit_test_setup(lists_are_counted, clean),
		cmocka_unit_test_setup(cpuinfo_gives_its_first_cpu, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
