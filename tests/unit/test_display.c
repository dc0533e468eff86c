// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/display.h"

#define E_ACUTE	  "\xc3\xa9"
#define KANJI	  "\xe6\xbc\xa2"
#define GRIN	  "\xf0\x9f\x98\x80"
#define COMBINING "e\xcc\x81"

static void expect(const char *text, const char *wanted, size_t width)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;

	display_add(&out, text, 1000);
	assert_string_equal(strbuf_str(&out), wanted);
	assert_int_equal(display_width(strbuf_str(&out)), width);
}

static int in_utf8(void **state)
{
	(void)state;
	return setlocale(LC_CTYPE, "C.UTF-8") ? 0 : -1;
}

static int in_ascii(void **state)
{
	(void)state;
	return setlocale(LC_CTYPE, "C") ? 0 : -1;
}

static void what_can_be_seen_is_shown(void **state)
{
	(void)state;
	expect("", "", 0);
	expect("kworker/0:1 ~", "kworker/0:1 ~", 13);
	expect("caf" E_ACUTE, "caf" E_ACUTE, 4);
	expect(KANJI KANJI "x", KANJI KANJI "x", 5);
	expect(GRIN, GRIN, 2);
}

static void what_cannot_be_seen_is_written_out(void **state)
{
	static const char *const rows[][2] = {
		{ "a\x1b[31m", "a\\x1b[31m" },
		{ "a\nb\tc\x7f", "a\\x0ab\\x09c\\x7f" },
		{ "\xc2\x9b", "\\xc2\\x9b" }, /* a control sequence in one character */
		{ "\xff", "\\xff" },
		{ "\xc3(", "\\xc3(" },
		{ "caf\xc3", "caf\\xc3" },
		{ COMBINING, "e\\xcc\\x81" },
		{ "\xe2\x80\x8b", "\\xe2\\x80\\x8b" },		/* zero-width space */
		{ "\xe2\x80\xaegnp", "\\xe2\\x80\\xaegnp" },	/* from right to left */
		{ "\xe2\x81\xa6", "\\xe2\\x81\\xa6" },		/* isolated direction */
		{ "\xd8\x9c", "\\xd8\\x9c" },			/* Arabic letter mark */
		{ "\xc2\xad", "\\xc2\\xad" },			/* soft hyphen: wcwidth() says 1 */
		{ "\xef\xbb\xbf", "\\xef\\xbb\\xbf" },		/* byte order mark */
		{ "\xf3\xa0\x80\x81", "\\xf3\\xa0\\x80\\x81" }, /* tag */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect(rows[i][0], rows[i][1], strlen(rows[i][1]));
}

static void elsewhere_only_ascii_is_shown(void **state)
{
	(void)state;
	expect("caf" E_ACUTE, "caf\\xc3\\xa9", 11);
	expect(KANJI, "\\xe6\\xbc\\xa2", 12);
	expect("a\x1b", "a\\x1b", 5);
	/* Each byte counts, as nobody knows what the terminal makes of it. */
	assert_int_equal(display_width(E_ACUTE), 2);
}

static void long_text_is_cut_between_characters(void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;

	(void)state;
	display_add(&out, "abc" KANJI, 6);
	display_add(&out, "|abc" KANJI, 5);
	display_add(&out, "|\xff\xff", 2);
	assert_string_equal(strbuf_str(&out), "abc" KANJI "|abc ... (3 bytes cut)"
					      "|\\xff ... (1 bytes cut)");
}

static void front_and_back_never_halve_a_character(void **state)
{
	const char *text = "a" KANJI E_ACUTE KANJI;
	static const size_t fronts[] = { 0, 1, 1, 4, 6, 6, 9, 9 };

	(void)state;
	for (size_t i = 0; i < sizeof(fronts) / sizeof(fronts[0]); i++)
		assert_int_equal(display_front(text, i), fronts[i]);
	assert_string_equal(display_back(text, 0), "");
	assert_string_equal(display_back(text, 1), "");
	assert_string_equal(display_back(text, 2), KANJI);
	assert_string_equal(display_back(text, 3), E_ACUTE KANJI);
	assert_string_equal(display_back(text, 4), E_ACUTE KANJI);
	assert_string_equal(display_back(text, 5), KANJI E_ACUTE KANJI);
	assert_string_equal(display_back(text, 60), text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_can_be_seen_is_shown, in_utf8),
		cmocka_unit_test_setup(what_cannot_be_seen_is_written_out, in_utf8),
		cmocka_unit_test_setup(elsewhere_only_ascii_is_shown, in_ascii),
		cmocka_unit_test_setup(long_text_is_cut_between_characters, in_utf8),
		cmocka_unit_test_setup(front_and_back_never_halve_a_character, in_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
