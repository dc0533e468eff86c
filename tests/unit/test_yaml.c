// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "scenario/yaml.h"

static struct ktstr_error err;

static void values_are_texts(void **state)
{
	static const char text[] = "# comment\n"
				   "a: 1 # one\n"
				   "b: [no, \"yes\", 'it''s', 0x10, ~]\n"
				   "c: {d: , e: llc:0}\n"
				   "f: >\n  folded\n  text\n"
				   "g: |\n  two\n  lines\n";
	struct yaml_document d;
	json_t *expected = json_pack("{s:s, s:[s,s,s,s,s], s:{s:s,s:s}, s:s, s:s}", "a", "1", "b",
				     "no", "yes", "it's", "0x10", "~", "c", "d", "", "e", "llc:0",
				     "f", "folded text", "g", "two\nlines");

	(void)state;
	if (yaml_parse("x.yaml", text, strlen(text), &d, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(json_equal(d.root, expected));
	json_decref(expected);
	yaml_document_deinit(&d);
}

static void lines_are_remembered(void **state)
{
	static const char text[] = "a: 1\n\nb:\n  - x\n  - {c: 2,\n     d: 3}\n";
	struct yaml_document d;
	json_t *list, *row, other;

	(void)state;
	assert_int_equal(yaml_parse("x.yaml", text, strlen(text), &d, &err), 0);
	list = json_object_get(d.root, "b");
	row = json_array_get(list, 1);
	assert_string_equal(yaml_place(&d, d.root), "x.yaml:1");
	assert_string_equal(yaml_place(&d, list), "x.yaml:3");
	assert_string_equal(yaml_place(&d, json_array_get(list, 0)), "x.yaml:4");
	assert_string_equal(yaml_place(&d, row), "x.yaml:5");
	assert_string_equal(yaml_place(&d, json_object_get(row, "d")), "x.yaml:6");
	assert_null(yaml_place(&d, &other));
	yaml_document_deinit(&d);
}

static void the_rest_of_yaml_is_refused(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ "", "x.yaml:1: the file is empty" },
		{ "# nothing\n", "x.yaml:1: the file is empty" },
		{ "just text\n", "x.yaml:1: a mapping is expected" },
		{ "- a\n", "x.yaml:1: a mapping is expected" },
		{ "a: 1\nb: 2\na: 3\n", "x.yaml:3: 'a' comes twice" },
		{ "a: &x 1\n", "x.yaml:1: anchors ('&') are not read here" },
		{ "a: 1\nb: &x [1]\n", "x.yaml:2: anchors" },
		{ "a: 1\nb: *x\n", "x.yaml:2: aliases ('*') are not read here" },
		{ "a: !!str 1\n", "x.yaml:1: tags ('!') are not read here" },
		{ "a: !x {b: 1}\n", "x.yaml:1: tags" },
		{ "a: 1\n---\nb: 2\n", "x.yaml:2: a second document" },
		{ "a: 1\n[b]: 2\n", "x.yaml:2: a key is a text" },
		{ "a: 1\n? {b: 1}\n: 2\n", "x.yaml:2: a key is a text" },
		{ "\"\": 1\n", "x.yaml:1: a key has 1 to" },
		{ "a: \"x\\0y\"\n", "x.yaml:1: a text with a NUL byte" },
		{ "\"x\\0y\": 1\n", "x.yaml:1: a text with a NUL byte" },
		{ "a: [1\nb: 2\n", "x.yaml:2: " },
		{ "a: 1\n\tb: 2\n", "x.yaml:2: " },
		{ "a: 1\nb: \xff\n", "x.yaml:2: invalid" },
		{ "a: 'x\n", "x.yaml:2: found unexpected end of stream" },
	};
	struct yaml_document d;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(
			yaml_parse("x.yaml", cases[i].text, strlen(cases[i].text), &d, &err),
			-EINVAL);
		if (strncmp(err.text, cases[i].expected, strlen(cases[i].expected)) != 0)
			fail_msg("%s: '%s', expected '%s'", cases[i].text, err.text,
				 cases[i].expected);
	}
}

static void laughs_do_not_multiply(void **state)
{
	static const char text[] = "a: &a [lol, lol]\nb: &b [*a, *a]\nc: [*b, *b]\n";
	struct yaml_document d;

	(void)state;
	assert_int_equal(yaml_parse("x.yaml", text, strlen(text), &d, &err), -EINVAL);
}

static int parse_repeated(const char *head, const char *piece, size_t times)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct yaml_document d;
	int r;

	strbuf_addstr(&text, head);
	for (size_t i = 0; i < times; i++)
		strbuf_addstr(&text, piece);
	r = yaml_parse("x.yaml", strbuf_str(&text), text.len, &d, &err);
	if (r == 0)
		yaml_document_deinit(&d);
	return r;
}

static void size_depth_and_number_are_limited(void **state)
{
	(void)state;
	assert_int_equal(parse_repeated("a: ", "[", YAML_DEPTH), -E2BIG);
	assert_string_equal(err.text, "x.yaml:1: nested deeper than 12");
	assert_int_equal(parse_repeated("a: [", "x,", YAML_VALUES), -E2BIG);
	assert_non_null(strstr(err.text, "more than 65536 values"));
	assert_int_equal(parse_repeated("a: ", "xxxxxxxxxxxxxxxx", YAML_BYTES / 16), -E2BIG);
	assert_int_equal(parse_repeated("a: ", "x", 1000), 0);
	assert_int_equal(parse_repeated("", "k", YAML_KEY), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_texts),
		cmocka_unit_test(lines_are_remembered),
		cmocka_unit_test(the_rest_of_yaml_is_refused),
		cmocka_unit_test(laughs_do_not_multiply),
		cmocka_unit_test(size_depth_and_number_are_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
