// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

static const char *cleaned(const char *bytes, size_t len, size_t max)
{
	static struct strbuf out = STRBUF_INIT;

	strbuf_clear(&out);
	text_add_clean(&out, bytes, len, max);
	return strbuf_str(&out);
}

#define CLEANED(literal) cleaned(literal, sizeof(literal) - 1, 1000)

static void good_text_is_kept(void **state)
{
	(void)state;
	assert_string_equal(CLEANED("a\tb\nc \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80"),
			    "a\tb\nc \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80");
}

static void bad_bytes_are_written_out(void **state)
{
	static const struct {
		const char *bytes;
		const char *text;
	} rows[] = {
		{ "\x01\x1b[31m\x7f\r", "\\x01\\x1b[31m\\x7f\\x0d" },
		{ "\xff\x80", "\\xff\\x80" },
		{ "\xc0\xaf", "\\xc0\\xaf" },			/* overlong */
		{ "\xe0\x80\xaf", "\\xe0\\x80\\xaf" },		/* overlong */
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },		/* surrogate */
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" }, /* beyond Unicode */
		{ "\xef\xbf\xbe", "\\xef\\xbf\\xbe" },		/* U+FFFE */
		{ "\xc2\x85", "\\xc2\\x85" },			/* a control character */
		{ "\xe2\x82", "\\xe2\\x82" },			/* cut */
		{ "\xc3(", "\\xc3(" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(cleaned(rows[i].bytes, strlen(rows[i].bytes), 1000),
				    rows[i].text);
	assert_string_equal(cleaned("a\0b", 3, 1000), "a\\x00b");
}

static void long_text_is_cut_and_counted(void **state)
{
	(void)state;
	assert_string_equal(cleaned("abcdefgh", 8, 8), "abcdefgh");
	assert_string_equal(cleaned("abcdefgh", 8, 5), "abcde ... (3 bytes cut)");
	/* Not through the middle of a character. */
	assert_string_equal(cleaned("ab\xe2\x82\xac", 5, 4), "ab ... (3 bytes cut)");
	assert_string_equal(cleaned("", 0, 0), "");
}

static void lines_get_a_prefix(void **state)
{
	struct strbuf out = STRBUF_INIT;

	(void)state;
	text_add_lines(&out, "# ", "one\n\ntwo\n");
	text_add_lines(&out, "# ", "");
	assert_string_equal(strbuf_str(&out), "# one\n# \n# two\n");
	strbuf_clear(&out);
	text_add_flat(&out, "a\nb\tc");
	assert_string_equal(strbuf_str(&out), "a b c");
	strbuf_deinit(&out);
}

static void durations_are_readable(void **state)
{
	static const struct {
		unsigned long long ns;
		const char *text;
	} rows[] = {
		{ 0, "0 us" },
		{ 812999, "812 us" },
		{ 34999999, "34 ms" },
		{ 2509999999, "2.50 s" },
		{ 99999999999, "99.99 s" },
		{ 200000000000, "3 min 20 s" },
	};
	struct strbuf out = STRBUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		strbuf_clear(&out);
		text_add_duration(&out, rows[i].ns);
		assert_string_equal(strbuf_str(&out), rows[i].text);
	}
	strbuf_deinit(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_text_is_kept),
		cmocka_unit_test(bad_bytes_are_written_out),
		cmocka_unit_test(long_text_is_cut_and_counted),
		cmocka_unit_test(lines_get_a_prefix),
		cmocka_unit_test(durations_are_readable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
