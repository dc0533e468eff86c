// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/xxh128.h"

/* From the shared library of Debian 12, whose code for this machine is another one than ours;
 * lengths on both sides of where the algorithm changes. */
static const struct {
	size_t repeat;
	const char *text, *hex;
} vectors[] = {
	{ 1, "", "99aa06d3014798d86001c324468d497f" },
	{ 1, "abc", "06b05ab6733a618578af5f94892f3950" },
	{ 17, "x", "9e8a29b5dfc13013416e526dfb687d89" },
	{ 240, "x", "bfede978870834bedf2b586ca80bb7aa" },
	{ 241, "x", "586c2f1b13edf30f14da9e5c301a6a1d" },
	{ 1000, "x", "50a1af5a5f2dcf01c0a4877b962cba82" },
	{ 1000000, "a", "a545df8e384a9579b1fd6fae5285c4eb" },
};

static void vectors_match(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct xxh128 x;
		char hex[XXH128_HEX];

		xxh128_init(&x);
		for (size_t n = 0; n < vectors[i].repeat; n++)
			xxh128_update(&x, vectors[i].text, strlen(vectors[i].text));
		xxh128_final_hex(&x, hex);
		assert_string_equal(hex, vectors[i].hex);
	}
}

static void a_look_in_between_changes_nothing(void **state)
{
	char bytes[1000], whole[XXH128_HEX], cut[XXH128_HEX], between[XXH128_HEX];
	struct xxh128 x;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7);
	xxh128_init(&x);
	xxh128_update(&x, bytes, sizeof(bytes));
	xxh128_final_hex(&x, whole);
	for (size_t at = 0; at <= sizeof(bytes); at += 37) {
		xxh128_init(&x);
		xxh128_update(&x, bytes, at);
		xxh128_final_hex(&x, between);
		xxh128_update(&x, bytes + at, sizeof(bytes) - at);
		xxh128_final_hex(&x, cut);
		assert_string_equal(cut, whole);
		if (at < sizeof(bytes))
			assert_string_not_equal(between, whole);
	}
}

static void a_copy_goes_its_own_way(void **state)
{
	char one[XXH128_HEX], other[XXH128_HEX];
	struct xxh128 x, y;

	(void)state;
	xxh128_init(&x);
	xxh128_update(&x, "ab", 2);
	y = x;
	xxh128_update(&x, "c", 1);
	xxh128_update(&y, "d", 1);
	xxh128_final_hex(&x, one);
	xxh128_final_hex(&y, other);
	assert_string_equal(one, vectors[1].hex);
	assert_string_not_equal(one, other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_match),
		cmocka_unit_test(a_look_in_between_changes_nothing),
		cmocka_unit_test(a_copy_goes_its_own_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
