// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "kernel/version.h"

static int sign(int x)
{
	return (x > 0) - (x < 0);
}

static void numbers_count_not_letters(void **state)
{
	/* Each is older than the next. */
	static const char *const order[] = {
		"2.6.39",
		"6.1.0-47-cloud-amd64",
		"6.1.0-50-cloud-amd64",
		"6.1.176",
		"6.9",
		"6.12-rc7",
		"6.12",
		"6.12.9",
		"6.12.90+deb12",
		"6.12.90+deb12.1",
		"6.12.107+deb13",
		"6.12.107+deb13-cloud",
		"7.3~rc7",
		"7.3",
		"7.3.4",
		"7.10",
		"10.0",
	};
	const size_t nr = sizeof(order) / sizeof(order[0]);

	(void)state;
	for (size_t i = 0; i < nr; i++)
		for (size_t j = 0; j < nr; j++)
			assert_int_equal(sign(kernel_version_compare(order[i], order[j])),
					 sign((int)i - (int)j));
}

static void zero_parts_do_not_count(void **state)
{
	(void)state;
	assert_int_equal(kernel_version_compare("7.3", "7.3.0"), 0);
	assert_int_equal(kernel_version_compare("7.03", "7.3"), 0);
	assert_int_equal(kernel_version_compare("", ""), 0);
	assert_true(kernel_version_compare("", "1") < 0);
	assert_true(kernel_version_compare("99999999999999999999", "100000000000000000000") < 0);
}

static void prefixes_match_whole_parts(void **state)
{
	(void)state;
	assert_true(kernel_version_matches("6.1.176", "6.1"));
	assert_true(kernel_version_matches("6.1.0-50-cloud-amd64", "6.1"));
	assert_true(kernel_version_matches("6.1.0-50-cloud-amd64", "6.1.0-50"));
	assert_true(kernel_version_matches("7.3.4", "7"));
	assert_true(kernel_version_matches("7.3.4+deb13", "7.3.4"));
	assert_false(kernel_version_matches("6.12.107", "6.1"));
	assert_false(kernel_version_matches("6.1", "6.1.176"));
	assert_false(kernel_version_matches("7.3.4", ""));
}

static void only_versions_are_valid(void **state)
{
	(void)state;
	assert_true(kernel_version_valid("6.12"));
	assert_true(kernel_version_valid("6.1.0-50-cloud-amd64"));
	assert_false(kernel_version_valid(""));
	assert_false(kernel_version_valid("latest"));
	assert_false(kernel_version_valid("6/1"));
	assert_false(kernel_version_valid("6 1"));
}

static void upstream_is_cut_out(void **state)
{
	static const char *const cases[][2] = {
		{ "6.12.107-1~bpo12+1", "6.12.107" },
		{ "1:7.3.4-1", "7.3.4" },
		{ "7.3~rc7-1~exp1", "7.3~rc7" },
		{ "6.1.0-50-cloud-amd64", "6.1.0" },
		{ "x", "" },
	};
	char buf[32];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		kernel_version_upstream(cases[i][0], buf, sizeof(buf));
		assert_string_equal(buf, cases[i][1]);
	}
	kernel_version_upstream("6.12.107", buf, 5);
	assert_string_equal(buf, "6.12");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_count_not_letters),
		cmocka_unit_test(zero_parts_do_not_count),
		cmocka_unit_test(prefixes_match_whole_parts),
		cmocka_unit_test(only_versions_are_valid),
		cmocka_unit_test(upstream_is_cut_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
