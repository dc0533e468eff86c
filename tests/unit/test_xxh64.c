// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/xxh64.h"

/* What `xxhsum -H1` printed. */
static const struct {
	const char *text;
	size_t len;
	uint64_t value;
} known[] = {
	{ "", 0, 0xef46db3751d8e999ull },
	{ "a", 1, 0xd24ec4f1a98c6e5bull },
	{ "abc", 3, 0x44bc2cf5ad770999ull },
	{ "0123456789abcdef0123456789abcdef0123456789", 42, 0xa76190c3acf08a1cull },
};

static void known_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct xxh64 x;

		xxh64_init(&x);
		xxh64_update(&x, known[i].text, known[i].len);
		assert_int_equal(xxh64_value(&x), known[i].value);
	}
}

static void pieces_do_not_matter(void **state)
{
	static unsigned char bytes[1000];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 7 + i / 256);
	for (size_t piece = 1; piece < 100; piece += 3) {
		struct xxh64 whole, cut;

		xxh64_init(&whole);
		xxh64_init(&cut);
		xxh64_update(&whole, bytes, sizeof(bytes));
		for (size_t at = 0; at < sizeof(bytes); at += piece)
			xxh64_update(&cut, bytes + at,
				     sizeof(bytes) - at < piece ? sizeof(bytes) - at : piece);
		assert_int_equal(xxh64_value(&whole), xxh64_value(&cut));
		bytes[piece] ^= 1;
		xxh64_init(&cut);
		xxh64_update(&cut, bytes, sizeof(bytes));
		assert_int_not_equal(xxh64_value(&whole), xxh64_value(&cut));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_values),
		cmocka_unit_test(pieces_do_not_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
