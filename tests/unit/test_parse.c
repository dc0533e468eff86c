// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/parse.h"

static void whole_numbers(void **state)
{
	uint64_t u = 7;
	uint32_t w = 7;
	int64_t i = 7;

	(void)state;
	assert_int_equal(parse_u64("18446744073709551615", &u), 0);
	assert_true(u == UINT64_MAX);
	assert_int_equal(parse_u64("18446744073709551616", &u), -ERANGE);
	assert_int_equal(parse_u64("", &u), -EINVAL);
	assert_int_equal(parse_u64("-1", &u), -EINVAL);
	assert_int_equal(parse_u64(" 1", &u), -EINVAL);
	assert_int_equal(parse_u64("1 ", &u), -EINVAL);
	assert_int_equal(parse_u64("+1", &u), -EINVAL);
	assert_int_equal(parse_u64("0x10", &u), -EINVAL);
	assert_true(u == UINT64_MAX);
	assert_int_equal(parse_u32("4294967295", &w), 0);
	assert_int_equal(parse_u32("4294967296", &w), -ERANGE);
	assert_int_equal(parse_i64("-9223372036854775808", &i), 0);
	assert_true(i == INT64_MIN);
	assert_int_equal(parse_i64("-9223372036854775809", &i), -ERANGE);
	assert_int_equal(parse_i64("9223372036854775808", &i), -ERANGE);
	assert_int_equal(parse_i64("--1", &i), -EINVAL);
	assert_int_equal(parse_i64("-", &i), -EINVAL);
}

static void sizes(void **state)
{
	uint64_t b = 0;

	(void)state;
	assert_int_equal(parse_bytes("65536", &b), 0);
	assert_int_equal(b, 65536);
	assert_int_equal(parse_bytes("512M", &b), 0);
	assert_int_equal(b, 512ull << 20);
	assert_int_equal(parse_bytes("2GiB", &b), 0);
	assert_int_equal(b, 2ull << 30);
	assert_int_equal(parse_bytes("3kB", &b), 0);
	assert_int_equal(b, 3072);
	assert_int_equal(parse_bytes("17179869184G", &b), -ERANGE);
	assert_int_equal(parse_bytes("1Mi", &b), -EINVAL);
	assert_int_equal(parse_bytes("1X", &b), -EINVAL);
	assert_int_equal(parse_bytes("M", &b), -EINVAL);
	assert_int_equal(b, 3072);
}

static void durations(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} good[] = {
		{ "250ms", 250000000 },
		{ "1.5s", 1500000000 },
		{ "2", 2000000000 },
		{ "2m", 120000000000ull },
		{ "1h", 3600000000000ull },
		{ "100us", 100000 },
		{ "5ns", 5 },
		{ "0.000000001s", 1 },
		{ "0", 0 },
	};
	static const char *const bad[] = { "",	 "s",	"1.s", ".5s",
					   "1d", "1 s", "-1s", "1.0000000001s" };
	uint64_t ns = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(parse_duration_ns(good[i].text, &ns), 0);
		assert_int_equal(ns, good[i].ns);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse_duration_ns(bad[i], &ns), -EINVAL);
	assert_int_equal(parse_duration_ns("99999999999999999999h", &ns), -ERANGE);
	assert_int_equal(parse_duration_ns("9999999999h", &ns), -ERANGE);
}

static void cpu_lists_round_trip(void **state)
{
	static const char *const lists[] = { "", "0", "0-3", "0-3,8", "1,3,5", "0-1,1022-1023" };
	cpu_set_t set;
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		assert_int_equal(parse_cpulist(lists[i], &set), 0);
		format_cpulist(&set, text, sizeof(text));
		assert_string_equal(text, lists[i]);
	}
	assert_int_equal(parse_cpulist("3-1", &set), -EINVAL);
	assert_int_equal(parse_cpulist("1,", &set), -EINVAL);
	assert_int_equal(parse_cpulist(",1", &set), -EINVAL);
	assert_int_equal(parse_cpulist("a", &set), -EINVAL);
	assert_int_equal(parse_cpulist("0-1024", &set), -ERANGE);
}

static void cpu_list_is_cut_like_snprintf(void **state)
{
	cpu_set_t set;
	char text[4] = "xxx";

	(void)state;
	assert_int_equal(parse_cpulist("0-3,8", &set), 0);
	format_cpulist(&set, text, sizeof(text));
	assert_string_equal(text, "0-3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_numbers),
		cmocka_unit_test(sizes),
		cmocka_unit_test(durations),
		cmocka_unit_test(cpu_lists_round_trip),
		cmocka_unit_test(cpu_list_is_cut_like_snprintf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
