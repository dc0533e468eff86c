// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"

static size_t length(const char *text)
{
	return utf8_length(text, strlen(text));
}

static void characters_have_their_length(void **state)
{
	(void)state;
	assert_int_equal(length("a"), 1);
	assert_int_equal(length("\x7f"), 1);
	assert_int_equal(length("\xc2\x80"), 2);
	assert_int_equal(length("\xdf\xbfz"), 2);
	assert_int_equal(length("\xe0\xa0\x80"), 3);
	assert_int_equal(length("\xed\x9f\xbf"), 3);
	assert_int_equal(length("\xef\xbf\xbf"), 3);
	assert_int_equal(length("\xf0\x90\x80\x80"), 4);
	assert_int_equal(length("\xf4\x8f\xbf\xbf"), 4);
}

static void all_else_is_none(void **state)
{
	/* NUL, bare continuation, overlong, surrogate, too high, cut short, wrong inside */
	static const char *const texts[] = {
		"",
		"\x80",
		"\xbf",
		"\xc0\xaf",
		"\xc1\xbf",
		"\xe0\x9f\xbf",
		"\xf0\x8f\xbf\xbf",
		"\xed\xa0\x80",
		"\xed\xbf\xbf",
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80",
		"\xff",
		"\xc2",
		"\xe2\x82",
		"\xf0\x90\x80",
		"\xc2z",
		"\xe2z\x82",
		"\xe2\x82z",
		"\xf0\x90z\x80",
		"\xf0\x90\x80z",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(length(texts[i]), 0);
	assert_int_equal(utf8_length("\0", 1), 0);
	assert_int_equal(utf8_length("\xe2\x82\xac", 2), 0);
}

static void characters_are_decoded(void **state)
{
	(void)state;
	assert_int_equal(utf8_decode("a", 1), 'a');
	assert_int_equal(utf8_decode("\xc3\xa9", 2), 0xe9);
	assert_int_equal(utf8_decode("\xe6\xbc\xa2", 3), 0x6f22);
	assert_int_equal(utf8_decode("\xf4\x8f\xbf\xbf", 4), 0x10ffff);
}

static void what_deceives_is_known(void **state)
{
	static const uint32_t bad[] = { 0x80,	 0x9b,	  0xad,	   0x61c,   0x200b,  0x200f,
					0x2028,	 0x202e,  0x2060,  0x2066,  0xfeff,  0xfffd,
					0xffff,	 0x180e,  0x1bca0, 0x1bca3, 0x1d173, 0x1d17a,
					0xe0000, 0xe0041, 0xe0fff };
	static const uint32_t good[] = { 0xa0,	  0xe9,	   0x61b,   0x200a,  0x2010,
					 0x202f,  0x6f22,  0x1f600, 0x1bca4, 0x1d172,
					 0x1d17b, 0xdffff, 0xe1000 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_true(utf8_is_deceptive(bad[i]));
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_false(utf8_is_deceptive(good[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(characters_have_their_length),
		cmocka_unit_test(all_else_is_none),
		cmocka_unit_test(characters_are_decoded),
		cmocka_unit_test(what_deceives_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
