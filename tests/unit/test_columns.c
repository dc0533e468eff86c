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

#include "base/cleanup.h"
#include "ctprof/compare.h"
#include "tests/lib/made_snapshot.h"

static struct ktstr_ctprof_comparison *all_columns(struct made *m, uint32_t sections)
{
	struct ktstr_ctprof_compare_opts opts = { .group_by = KTSTR_CTPROF_BY_CGROUP,
						  .sections = sections };
	struct ktstr_ctprof_side side = { .snapshot = made_snapshot(m) };
	struct ktstr_ctprof_comparison *c = NULL;

	assert_int_equal(ktstr_ctprof_compare(&side, NULL, &opts, &c, NULL), 0);
	return c;
}

static void every_metric_is_in_its_section(void **state)
{
	static const struct {
		const char *name;
		enum ktstr_ctprof_section section;
		size_t block;
	} rows[] = {
		{ "run_time_ns", KTSTR_CTPROF_SECTION_PRIMARY, 1 },
		{ "cpu_affinity", KTSTR_CTPROF_SECTION_PRIMARY, 1 },
		{ "cpu_delay_total_ns", KTSTR_CTPROF_SECTION_DELAYS, 1 },
		{ "avg_cpu_delay_ns", KTSTR_CTPROF_SECTION_DERIVED, 1 },
		{ "smaps_pss_bytes", KTSTR_CTPROF_SECTION_SMAPS, 1 },
		{ "usage_us", KTSTR_CTPROF_SECTION_CGROUP_STATS, 1 },
		{ "memory_current_bytes", KTSTR_CTPROF_SECTION_CGROUP_STATS, 1 },
		{ "memory_max_bytes", KTSTR_CTPROF_SECTION_CGROUP_LIMITS, 1 },
		{ "max_quota_us", KTSTR_CTPROF_SECTION_CGROUP_LIMITS, 1 },
		{ "cpus_effective", KTSTR_CTPROF_SECTION_CGROUP_LIMITS, 1 },
		{ "memory_stat_anon_bytes", KTSTR_CTPROF_SECTION_MEMORY_STAT, 1 },
		{ "memory_events_oom", KTSTR_CTPROF_SECTION_MEMORY_EVENTS, 1 },
		{ "pressure_cpu_some_total_us", KTSTR_CTPROF_SECTION_PRESSURE, 1 },
		{ "pressure_cpu_some_total_us", KTSTR_CTPROF_SECTION_HOST_PRESSURE, 0 },
		{ "ext_state", KTSTR_CTPROF_SECTION_SCHED_EXT, 0 },
		{ "forks", KTSTR_CTPROF_SECTION_HOST, 0 },
	};
	struct made *m = made_create();
	struct ktstr_ctprof_comparison *c = all_columns(m, 0);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct ktstr_ctprof_block *b = &c->blocks[rows[i].block];
		int column = ktstr_ctprof_column_find(b, rows[i].name);

		if (column < 0)
			fail_msg("no %s", rows[i].name);
		assert_int_equal(b->columns[column].section, rows[i].section);
	}
	assert_true(ktstr_ctprof_column_find(&c->blocks[1], "pcomm") < 0);
	assert_true(ktstr_ctprof_column_find(&c->blocks[0], "boot_id") < 0);
	ktstr_ctprof_comparison_destroy(c);
	made_destroy(m);
}

static void sections_part_all_columns(void **state)
{
	struct made *m = made_create();
	struct ktstr_ctprof_comparison *all = all_columns(m, 0);
	size_t machine = 0, cgroup = 0;

	(void)state;
	for (unsigned int i = 0; ktstr_ctprof_section_name(i); i++) {
		struct ktstr_ctprof_comparison *c = all_columns(m, 1u << i);

		assert_true(c->blocks[0].nr_columns + c->blocks[1].nr_columns > 0);
		machine += c->blocks[0].nr_columns;
		cgroup += c->blocks[1].nr_columns;
		ktstr_ctprof_comparison_destroy(c);
	}
	assert_int_equal(machine, all->blocks[0].nr_columns);
	assert_int_equal(cgroup, all->blocks[1].nr_columns);
	ktstr_ctprof_comparison_destroy(all);
	made_destroy(m);
}

static void units_may_be_left_out(void **state)
{
	enum ktstr_ctprof_kind kind;

	(void)state;
	assert_string_equal(columns_info("wait_sum", 8, &kind)->name, "wait_sum_ns");
	assert_string_equal(columns_info("wait_sum_ns", 11, &kind)->name, "wait_sum_ns");
	assert_null(columns_info("wait_sum_", 9, &kind));
	assert_null(columns_info("wait_su", 7, &kind));
	assert_null(columns_info("", 0, &kind));
	assert_string_equal(columns_info("cpu_efficiency", 14, &kind)->name, "cpu_efficiency");
	assert_int_equal(kind, KTSTR_CTPROF_KIND_DERIVED);
}

static void words_of_groupings_are_distinct(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < KTSTR_CTPROF_NR_GROUP_BYS; i++)
		for (unsigned int j = 0; j < i; j++)
			assert_string_not_equal(ktstr_ctprof_group_by_name(i),
						ktstr_ctprof_group_by_name(j));
	assert_null(ktstr_ctprof_section_name(KTSTR_CTPROF_NR_SECTIONS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_metric_is_in_its_section),
		cmocka_unit_test(sections_part_all_columns),
		cmocka_unit_test(units_may_be_left_out),
		cmocka_unit_test(words_of_groupings_are_distinct),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
