// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <ktstr/ctprof.h>

typedef const struct ktstr_metric_info *info_fn(unsigned int);

static void check_row(const struct ktstr_metric_info *m)
{
	size_t len = strlen(m->about);

	assert_true(*m->name && strlen(m->name) <= 48);
	for (const char *c = m->name; *c; c++)
		assert_true(islower(*c) || isdigit(*c) || *c == '_');
	assert_true(len > 5 && len < 120 && m->about[len - 1] == '.');
	assert_true(*m->source);
	assert_string_not_equal(ktstr_metric_type_name(m->type), "?");
	assert_string_not_equal(ktstr_metric_aggregate_name(m->aggregate), "?");
}

/* A quantity ends in its unit, so nobody has to look it up. */
static void check_unit(const struct ktstr_metric_info *m)
{
	static const struct {
		const char *unit, *end;
	} rows[] = {
		{ "ns", "_ns" },       { "us", "_us" },
		{ "ms", "_ms" },       { "bytes", "_bytes" },
		{ "ticks", "_ticks" }, { "bp", "_bp" },
		{ "kHz", "_khz" },     { "hundredths", "_hundredths" },
	};
	size_t len = strlen(m->name);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t end = strlen(rows[i].end);

		assert_int_equal(!strcmp(m->unit, rows[i].unit),
				 len > end && !strcmp(m->name + len - end, rows[i].end));
	}
}

static unsigned int check_table(info_fn *info)
{
	unsigned int nr = 0;

	for (; info(nr); nr++) {
		check_row(info(nr));
		check_unit(info(nr));
		for (unsigned int k = 0; k < nr; k++)
			assert_string_not_equal(info(k)->name, info(nr)->name);
	}
	return nr;
}

static void every_row_is_complete(void **state)
{
	(void)state;
	assert_int_equal(check_table(ktstr_ctprof_metric_info), KTSTR_CTPROF_NR_METRICS);
	assert_int_equal(check_table(ktstr_ctprof_text_info), KTSTR_CTPROF_NR_TEXTS);
	assert_int_equal(check_table(ktstr_ctprof_cgroup_metric_info),
			 KTSTR_CTPROF_NR_CGROUP_METRICS);
	assert_int_equal(check_table(ktstr_ctprof_cgroup_text_info), KTSTR_CTPROF_NR_CGROUP_TEXTS);
	assert_int_equal(check_table(ktstr_ctprof_host_metric_info), KTSTR_CTPROF_NR_HOST_METRICS);
	assert_int_equal(check_table(ktstr_ctprof_host_text_info), KTSTR_CTPROF_NR_HOST_TEXTS);
}

static void rows_stand_at_their_names(void **state)
{
	(void)state;
	assert_string_equal(ktstr_ctprof_metric_info(KTSTR_CTPROF_ALLOCATED)->name,
			    "allocated_bytes");
	assert_int_equal(ktstr_ctprof_metric_info(KTSTR_CTPROF_ALLOCATED)->type,
			 KTSTR_TYPE_COUNTER);
	assert_string_equal(ktstr_ctprof_text_info(KTSTR_CTPROF_TEXT_CPU_AFFINITY)->name,
			    "cpu_affinity");
	assert_string_equal(ktstr_ctprof_cgroup_metric_info(KTSTR_CTPROF_CGROUP_WEIGHT)->source,
			    "cpu.weight");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_complete),
		cmocka_unit_test(rows_stand_at_their_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
