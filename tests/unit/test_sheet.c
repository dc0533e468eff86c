// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctprof/sheet.h"

static void expect_fit(const char *text, size_t width, const char *wanted)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;

	sheet_fit(text, width, &out);
	assert_string_equal(strbuf_str(&out), wanted);
}

static void names_are_cut_in_the_middle(void **state)
{
	(void)state;
	expect_fit("abcdefghij", 0, "abcdefghij");
	expect_fit("abcdefghij", 10, "abcdefghij");
	expect_fit("abcdefghij", 9, "abcd..hij");
	expect_fit("abcdefghij", 6, "ab..ij");
	expect_fit("\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\xc3\xbc", 5,
		   "\xc3\xa4\xc3\xb6..\xc3\xbc");
	/* Four columns: a wide character that would take the fifth is left out. */
	expect_fit("a\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2z", 6, "a..z");
}

static void fill(struct sheet *s)
{
	static const char *const cells[] = { "NAME", "A",  "LONG", "the-first-name-is-long",
					     "1",    "22", "b",	   "333",
					     "4" };

	sheet_init(s);
	s->nr_columns = 3;
	s->left[0] = true;
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
		sheet_add(s, i < 3 ? SHEET_BOLD : SHEET_PLAIN, cells[i]);
}

static void expect_sheet(unsigned int width, bool colour, const char *wanted, size_t dropped)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
	_cleanup_sheet_ struct sheet s = { 0 };

	fill(&s);
	s.width = width;
	s.colour = colour;
	assert_int_equal(sheet_print(&s, &out), 0);
	assert_string_equal(strbuf_str(&out), wanted);
	assert_int_equal(s.nr_dropped, dropped);
}

static void columns_line_up(void **state)
{
	(void)state;
	expect_sheet(0, false,
		     "NAME                     A LONG\n"
		     "the-first-name-is-long   1   22\n"
		     "b                      333    4\n",
		     0);
}

static void a_narrow_sheet_cuts_names_first(void **state)
{
	(void)state;
	expect_sheet(28, false,
		     "NAME                  A LONG\n"
		     "the-first..-is-long   1   22\n"
		     "b                   333    4\n",
		     0);
}

static void a_narrower_one_drops_columns(void **state)
{
	(void)state;
	expect_sheet(26, false,
		     "NAME                     A\n"
		     "the-first-name-is-long   1\n"
		     "b                      333\n",
		     1);
}

static void colours_do_not_move_columns(void **state)
{
	(void)state;
	expect_sheet(0, true,
		     "\033[1mNAME\033[0m                     \033[1mA\033[0m \033[1mLONG\033[0m\n"
		     "the-first-name-is-long   1   22\n"
		     "b                      333    4\n",
		     0);
}

static void wide_characters_take_two_columns(void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
	_cleanup_sheet_ struct sheet s = { 0 };
	static const char *const cells[] = { "NAME", "A",	    "\xe6\xbc\xa2\xe6\xbc\xa2",
					     "1",    "caf\xc3\xa9", "22" };

	(void)state;
	sheet_init(&s);
	s.nr_columns = 2;
	s.left[0] = true;
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
		sheet_add(&s, SHEET_PLAIN, cells[i]);
	assert_int_equal(sheet_print(&s, &out), 0);
	assert_string_equal(strbuf_str(&out), "NAME  A\n"
					      "\xe6\xbc\xa2\xe6\xbc\xa2  1\n"
					      "caf\xc3\xa9 22\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_cut_in_the_middle),
		cmocka_unit_test(columns_line_up),
		cmocka_unit_test(wide_characters_take_two_columns),
		cmocka_unit_test(a_narrow_sheet_cuts_names_first),
		cmocka_unit_test(a_narrower_one_drops_columns),
		cmocka_unit_test(colours_do_not_move_columns),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
