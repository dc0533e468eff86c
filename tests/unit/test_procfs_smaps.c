// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ctprof/procfs.h"

static int parse(const char *text, struct ktstr_ctprof_leader *leader)
{
	return procfs_parse_smaps_rollup((struct span){ text, strlen(text) }, leader);
}

static int64_t value(const struct ktstr_ctprof_leader *leader, unsigned int metric)
{
	unsigned int i = metric - KTSTR_CTPROF_NR_THREAD_METRICS;

	return leader->present >> i & 1 ? leader->values[i] : -1;
}

static void keys_are_told_apart(void **state)
{
	struct ktstr_ctprof_leader leader = { 0 };

	(void)state;
	assert_int_equal(parse("55d0-7ffe ---p 00000000 00:00 0 [rollup]\n"
			       "Rss:                3200 kB\n"
			       "Pss:                 395 kB\n"
			       "Pss_Dirty:            17 kB\n"
			       "SwapPss:               0 kB\n"
			       "Locked:                4 kB\n"
			       "Something_New:         1 kB\n",
			       &leader),
			 0);
	assert_int_equal(value(&leader, KTSTR_CTPROF_SMAPS_RSS), 3200 << 10);
	assert_int_equal(value(&leader, KTSTR_CTPROF_SMAPS_PSS), 395 << 10);
	assert_int_equal(value(&leader, KTSTR_CTPROF_SMAPS_PSS_DIRTY), 17 << 10);
	assert_int_equal(value(&leader, KTSTR_CTPROF_SMAPS_SWAP_PSS), 0);
	assert_int_equal(value(&leader, KTSTR_CTPROF_SMAPS_LOCKED), 4 << 10);
	assert_int_equal(value(&leader, KTSTR_CTPROF_SMAPS_SWAP), -1);
	for (unsigned int m = KTSTR_CTPROF_SMAPS_RSS; m <= KTSTR_CTPROF_SMAPS_LOCKED; m++)
		assert_int_equal(strncmp(ktstr_ctprof_metric_info(m)->name, "smaps_", 6), 0);
}

static void bad_lines_cost_themselves(void **state)
{
	static const char *const bad[] = { "Rss: -1 kB\n", "Rss: 1 MB\n", "Rss: 1\n", "Rss:\n",
					   "Rss: 9223372036854775807 kB\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ktstr_ctprof_leader leader = { 0 };

		assert_int_equal(parse(bad[i], &leader), -EINVAL);
		assert_int_equal(leader.present, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_told_apart),
		cmocka_unit_test(bad_lines_cost_themselves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
