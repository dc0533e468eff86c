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

static void expect(const char *unit, double number, bool with_sign, const char *wanted)
{
	char buf[KTSTR_CTPROF_NUMBER_BYTES];

	assert_string_equal(ktstr_ctprof_format_number(unit, number, with_sign, buf), wanted);
}

static void numbers_are_scaled_for_people(void **state)
{
	(void)state;
	expect("ns", 0, false, "0ns");
	expect("ns", 999, false, "999ns");
	expect("ns", 1000, false, "1.00us");
	expect("ns", 12345678, false, "12.3ms");
	expect("ns", 1.5e9, true, "+1.50s");
	expect("ns", -1.5e9, true, "-1.50s");
	expect("ns", 999.96e3, false, "1.00ms");
	expect("ns", 999.4e3, false, "999us");
	expect("ns", 999.6e6, false, "1.00s");
	expect("", 999600, true, "+1.00M");
	expect("bytes", 1023.7 * 1024, false, "1.00MiB");
	expect("us", 1500, false, "1.50ms");
	expect("ticks", 250, false, "2.50s");
	expect("ms", 10, false, "10.0ms");
	expect("bytes", 1023, false, "1023B");
	expect("bytes", 16 << 20, false, "16.0MiB");
	expect("", 101154, false, "101K");
	expect("", 33.63, true, "+33.6");
	expect("", 0.5, false, "0.50");
	expect("", 42, true, "+42");
	expect("", 0, true, "0");
	expect("ratio", 0.831, false, "83.1%");
	expect("ratio", -0.05, true, "-5.0%");
	expect("bp", 1250, false, "12.50%");
	expect("hundredths", 123, false, "1.23");
	expect("ns", 999.4e9, false, "999s");
	expect("ns", 999.9e9, false, "16.7m");
	expect("ns", 1330e9, false, "22.2m");
	expect("ns", -6000e9, true, "-1.67h");
	expect("ms", 86400e3 * 2, false, "48h");
	expect("ns", 86400e9 * 10, true, "+10d");
	expect("ns", 1e18, false, "11574d");
}

static void values_are_shown_by_their_rules(void **state)
{
	static const struct {
		unsigned int metric;
		struct ktstr_ctprof_value value;
		const char *wanted;
	} rows[] = {
		{ KTSTR_CTPROF_RUN_TIME, { .number = 5 }, "-" },
		{ KTSTR_CTPROF_RUN_TIME, { .there = true, .number = 5 }, "5ns" },
		{ KTSTR_CTPROF_STATE, { .there = true, .low = 'S', .high = 'S' }, "S" },
		{ KTSTR_CTPROF_STATE, { .there = true, .mixed = true, .low = 'R' }, "R (mixed)" },
		{ KTSTR_CTPROF_POLICY, { .there = true, .mixed = true, .low = 7 }, "7 (mixed)" },
		{ KTSTR_CTPROF_NICE, { .there = true, .low = -5, .high = 19 }, "[-5,19]" },
		{ KTSTR_CTPROF_NICE, { .there = true, .low = 3, .high = 3 }, "3" },
	};
	char buf[64];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ktstr_ctprof_column c = { KTSTR_CTPROF_KIND_THREAD, rows[i].metric, 0,
						 ktstr_ctprof_metric_info(rows[i].metric) };

		assert_string_equal(ktstr_ctprof_format_value(&c, &rows[i].value, buf, sizeof(buf)),
				    rows[i].wanted);
	}
}

static void sets_and_limits_have_words(void **state)
{
	struct ktstr_ctprof_column set = { KTSTR_CTPROF_KIND_TEXT, KTSTR_CTPROF_TEXT_CPU_AFFINITY,
					   0,
					   ktstr_ctprof_text_info(KTSTR_CTPROF_TEXT_CPU_AFFINITY) };
	struct ktstr_ctprof_column limit = {
		KTSTR_CTPROF_KIND_CGROUP, KTSTR_CTPROF_CGROUP_MEMORY_MAX, 0,
		ktstr_ctprof_cgroup_metric_info(KTSTR_CTPROF_CGROUP_MEMORY_MAX)
	};
	struct ktstr_ctprof_value v = { .there = true, .low = 4, .high = 4, .text = "0-3" };
	char buf[64];

	(void)state;
	assert_string_equal(ktstr_ctprof_format_value(&set, &v, buf, sizeof(buf)), "0-3");
	v.text = NULL;
	assert_string_equal(ktstr_ctprof_format_value(&set, &v, buf, sizeof(buf)),
			    "4 CPUs (mixed)");
	v.high = 8;
	assert_string_equal(ktstr_ctprof_format_value(&set, &v, buf, sizeof(buf)),
			    "4-8 CPUs (mixed)");
	v.low = v.high = KTSTR_CTPROF_UNLIMITED;
	assert_string_equal(ktstr_ctprof_format_value(&limit, &v, buf, sizeof(buf)), "max");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_scaled_for_people),
		cmocka_unit_test(values_are_shown_by_their_rules),
		cmocka_unit_test(sets_and_limits_have_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
