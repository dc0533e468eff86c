// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/strbuf.h"

static void grows_and_stays_terminated(void **state)
{
	_cleanup_strbuf_ struct strbuf s = STRBUF_INIT;

	(void)state;
	assert_string_equal(strbuf_str(&s), "");
	for (int i = 0; i < 1000; i++)
		strbuf_addf(&s, "%d,", i);
	assert_int_equal(s.error, 0);
	assert_int_equal(s.len, strlen(s.data));
	assert_memory_equal(s.data, "0,1,2,3,", 8);
	assert_string_equal(s.data + s.len - 4, "999,");
}

static void limit_sticks_and_keeps_what_was_there(void **state)
{
	_cleanup_strbuf_ struct strbuf s = STRBUF_INIT_LIMIT(8);

	(void)state;
	strbuf_addstr(&s, "12345678");
	assert_int_equal(s.error, 0);
	strbuf_addch(&s, '9');
	assert_int_equal(s.error, -E2BIG);
	assert_string_equal(s.data, "12345678");
	strbuf_addstr(&s, "");
	assert_int_equal(s.error, -E2BIG);
	assert_null(strbuf_take(&s));
}

static void reserved_room_is_used_without_moving(void **state)
{
	_cleanup_strbuf_ struct strbuf s = STRBUF_INIT_LIMIT(100);
	const char *place;

	(void)state;
	strbuf_reserve(&s, 100);
	assert_int_equal(s.error, 0);
	assert_int_equal(s.len, 0);
	place = s.data;
	assert_string_equal(place, "");
	for (int i = 0; i < 100; i++)
		strbuf_addch(&s, 'x');
	assert_ptr_equal(s.data, place);
	assert_int_equal(s.len, 100);
	strbuf_reserve(&s, 1);
	assert_int_equal(s.error, -E2BIG);
	assert_int_equal(s.len, 100);
}

static void consume_drops_the_front(void **state)
{
	_cleanup_strbuf_ struct strbuf s = STRBUF_INIT;

	(void)state;
	strbuf_addstr(&s, "abcdef");
	strbuf_consume(&s, 2);
	assert_string_equal(strbuf_str(&s), "cdef");
	strbuf_consume(&s, 100);
	assert_string_equal(strbuf_str(&s), "");
	assert_int_equal(s.len, 0);
}

static void take_hands_over_even_when_empty(void **state)
{
	struct strbuf s = STRBUF_INIT;
	char *text = strbuf_take(&s);

	(void)state;
	assert_non_null(text);
	assert_string_equal(text, "");
	free(text);
	assert_null(s.data);
}

static void clear_forgets_the_error(void **state)
{
	_cleanup_strbuf_ struct strbuf s = STRBUF_INIT_LIMIT(2);

	(void)state;
	strbuf_addstr(&s, "abc");
	assert_int_equal(s.error, -E2BIG);
	strbuf_clear(&s);
	strbuf_addstr(&s, "ab");
	assert_int_equal(s.error, 0);
	assert_string_equal(strbuf_str(&s), "ab");
}

static void quoted(const char *word, const char *wanted)
{
	struct strbuf s = STRBUF_INIT;

	strbuf_add_quoted(&s, word);
	assert_string_equal(strbuf_str(&s), wanted);
	strbuf_deinit(&s);
}

static void words_are_quoted_for_a_shell(void **state)
{
	(void)state;
	quoted("/a/b-c_d.e=1,2", "/a/b-c_d.e=1,2");
	quoted("", "''");
	quoted("a b", "'a b'");
	quoted("$x", "'$x'");
	quoted("it's", "'it'\\''s'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_and_stays_terminated),
		cmocka_unit_test(limit_sticks_and_keeps_what_was_there),
		cmocka_unit_test(reserved_room_is_used_without_moving),
		cmocka_unit_test(consume_drops_the_front),
		cmocka_unit_test(take_hands_over_even_when_empty),
		cmocka_unit_test(clear_forgets_the_error),
		cmocka_unit_test(words_are_quoted_for_a_shell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
