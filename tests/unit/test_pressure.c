// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ctprof/pressure.h"

static int parse(const char *text, struct pressure *p)
{
	return pressure_parse((struct span){ text, strlen(text) }, p);
}

static void shares_and_totals_are_read(void **state)
{
	struct pressure p;

	(void)state;
	assert_int_equal(parse("some avg10=12.34 avg60=0.05 avg300=100.00 total=7\n"
			       "full avg10=0.00 avg60=0.00 avg300=0.01 total=9223372036854775807\n",
			       &p),
			 0);
	assert_true(p.some_known && p.full_known);
	assert_int_equal(p.some[PRESSURE_AVG10], 1234);
	assert_int_equal(p.some[PRESSURE_AVG60], 5);
	assert_int_equal(p.some[PRESSURE_AVG300], 10000);
	assert_int_equal(p.some[PRESSURE_TOTAL], 7);
	assert_int_equal(p.full[PRESSURE_AVG300], 1);
	assert_true(p.full[PRESSURE_TOTAL] == INT64_MAX);
}

static void one_line_alone_is_fine(void **state)
{
	struct pressure p;

	(void)state;
	assert_int_equal(parse("full avg10=1.00 avg60=0.00 avg300=0.00 total=3\n", &p), 0);
	assert_true(!p.some_known && p.full_known);
	assert_int_equal(parse("some avg10=1.00 avg60=0.00 avg300=0.00 total=3", &p), 0);
	assert_true(p.some_known && !p.full_known);
}

static void broken_lines_give_nothing(void **state)
{
	static const char *const broken[] = {
		"",
		"\n",
		"some\n",
		"some avg10=1 avg60=0.00 avg300=0.00 total=3\n",
		"some avg10=1.0 avg60=0.00 avg300=0.00 total=3\n",
		"some avg10=-1.00 avg60=0.00 avg300=0.00 total=3\n",
		"some avg10=1.00 avg60=0.00 avg300=0.00 total=-3\n",
		"some avg10=1.00 avg60=0.00 avg300=0.00 total=3 x\n",
		"some avg10=1.00 avg60=0.00 avg300=0.00 total=9223372036854775808\n",
		"some avg10=92233720368547759.00 avg60=0.00 avg300=0.00 total=3\n",
		"some avg60=1.00 avg10=0.00 avg300=0.00 total=3\n",
		"all avg10=1.00 avg60=0.00 avg300=0.00 total=3\n",
	};
	struct pressure p;

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		assert_true(parse(broken[i], &p) < 0);
		assert_true(!p.some_known && !p.full_known);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_and_totals_are_read),
		cmocka_unit_test(one_line_alone_is_fine),
		cmocka_unit_test(broken_lines_give_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
