// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "ctprof/pull.h"

static struct pull begin(const char *text)
{
	return pull_begin(text, strlen(text), 8);
}

static void members_and_elements_in_order(void **state)
{
	struct pull p =
		begin(" { \"a\" : [ 1 , -2, null ] , \"b\":\"x\\u00e4\\n\\ud83d\\ude00\" } ");
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	(void)state;
	pull_open(&p, '{');
	assert_true(pull_more(&p, '}'));
	pull_key(&p, &text);
	assert_string_equal(text.data, "a");
	pull_open(&p, '[');
	assert_true(pull_more(&p, ']'));
	assert_int_equal(pull_number(&p), 1);
	assert_true(pull_more(&p, ']'));
	assert_false(pull_null(&p));
	assert_int_equal(pull_number(&p), -2);
	assert_true(pull_more(&p, ']'));
	assert_true(pull_null(&p));
	assert_false(pull_more(&p, ']'));
	assert_true(pull_more(&p, '}'));
	pull_key(&p, &text);
	pull_string(&p, &text);
	assert_string_equal(text.data, "x\xc3\xa4\n\xf0\x9f\x98\x80");
	assert_false(pull_more(&p, '}'));
	pull_finish(&p);
	assert_int_equal(p.error, 0);
}

static int skip_error(const char *text)
{
	struct pull p = begin(text);

	pull_skip(&p);
	pull_finish(&p);
	return p.error;
}

static void any_value_can_be_passed_over(void **state)
{
	static const char *const good[] = {
		"1",	   "-1.5e+3", "\"a\\\"b\"",	    "null", "true", "[]", "{}",
		"[[],[]]", "[{}]",    "{\"a\":{\"b\":[]}}", "[1,2]"
	};
	static const char *const bad[] = { "",	    "x",   "[",	      "]",	  "[1,]",
					   "[1 2]", "{1}", "{\"a\"}", "{\"a\":}", "\"a",
					   "nul",   "[}",  "{]",      "1 2",	  "[\"a\\\"]" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(skip_error(good[i]), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(skip_error(bad[i]), -EBADMSG);
	assert_int_equal(skip_error("[[[[[[[[]]]]]]]]"), 0);
	assert_int_equal(skip_error("[[[[[[[[[]]]]]]]]]"), -ELOOP);
}

static void an_error_sticks(void **state)
{
	struct pull p = begin("[1.5, 2]");
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	(void)state;
	pull_open(&p, '[');
	assert_true(pull_more(&p, ']'));
	pull_number(&p);
	assert_int_equal(p.error, -EBADMSG);
	assert_false(pull_more(&p, ']'));
	pull_string(&p, &text);
	pull_open(&p, '[');
	assert_int_equal(p.error, -EBADMSG);
}

static void numbers_that_do_not_fit(void **state)
{
	struct pull p = begin("9223372036854775807");

	(void)state;
	assert_true(pull_number(&p) == INT64_MAX);
	assert_int_equal(p.error, 0);
	p = begin("9223372036854775808");
	pull_number(&p);
	assert_int_equal(p.error, -EBADMSG);
}

/* Without control characters, as RFC 8259 wants it. */
static void expect_utf8(const char *json, size_t len)
{
	for (size_t at = 0, size; at < len; at += size) {
		size = utf8_length(json + at, len - at);
		assert_true(size > 0);
		assert_true((unsigned char)json[at] >= ' ');
	}
}

static void any_bytes_come_back(void **state)
{
	static const char *const texts[] = {
		"",
		"plain",
		"\\",
		"\\\\x41",
		"\\x41",
		"\xff\xfe",
		"\xc3\xa4\xc3",
		"\x01\n",
		"\"quoted\"",
		"\xed\xa0\x80",
		"\xf4\x90\x80\x80",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		_cleanup_strbuf_ struct strbuf json = STRBUF_INIT, back = STRBUF_INIT;
		struct pull p;

		pull_add_bytes(&json, texts[i]);
		expect_utf8(json.data, json.len);
		p = pull_begin(json.data, json.len, 8);
		pull_string(&p, &back);
		pull_finish(&p);
		assert_int_equal(p.error, 0);
		pull_restore_bytes(&back);
		assert_string_equal(back.data, texts[i]);
	}
}

/* What the short way does not take is left for the long one. */
static void the_short_way_agrees_with_the_long_one(void **state)
{
	static const char list[] =
		"[0,-1,null, 2,123456789012345678,1234567890123456789,-9223372036854775807,7 ,8,9]"
		"                        ";
	static const int64_t values[] = {
		0, -1, INT64_MIN, 2, 123456789012345678, 1234567890123456789, -INT64_MAX, 7, 8, 9
	};
	struct pull p = begin(list);
	int64_t v = INT64_MIN;
	int taken = 0;

	(void)state;
	pull_open(&p, '[');
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		int r = pull_next_number(&p, &v);

		taken += r >= 0;
		if (r < 0) {
			assert_true(pull_more(&p, ']'));
			r = !pull_null(&p);
			v = r ? pull_number(&p) : INT64_MIN;
		}
		assert_true((r ? v : INT64_MIN) == values[i]);
	}
	assert_int_equal(taken, 4);
	assert_int_equal(pull_next_number(&p, &v), -1);
	assert_false(pull_more(&p, ']'));
	pull_finish(&p);
	assert_int_equal(p.error, 0);
}

static void the_short_way_takes_nothing_odd(void **state)
{
	static const char *const odd[] = {
		"[1,1.5,                          ", "[1,,                              ",
		"[1,-,                            ", "[1,\"a\",                          ",
		"[1,nul,                          ", "[1,1e3,                           ",
		"[1 ,2,                           ", "[1,2",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		struct pull p = begin(odd[i]);
		const char *at;
		int64_t v = 77;

		pull_open(&p, '[');
		assert_int_equal(pull_next_number(&p, &v), -1);
		assert_true(pull_more(&p, ']'));
		assert_int_equal(pull_number(&p), 1);
		at = p.at;
		assert_int_equal(pull_next_number(&p, &v), -1);
		assert_ptr_equal(p.at, at);
		assert_int_equal(v, 77);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_and_elements_in_order),
		cmocka_unit_test(any_value_can_be_passed_over),
		cmocka_unit_test(an_error_sticks),
		cmocka_unit_test(numbers_that_do_not_fit),
		cmocka_unit_test(the_short_way_agrees_with_the_long_one),
		cmocka_unit_test(the_short_way_takes_nothing_odd),
		cmocka_unit_test(any_bytes_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
