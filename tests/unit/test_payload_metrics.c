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

#include "base/strbuf.h"
#include "work/payload_metrics.h"

static struct metrics metrics;
static struct ktstr_error err;

static int parse_wanting(const char *text, const char *const *wanted)
{
	memset(&err, 0, sizeof(err));
	return metrics_parse(text, strlen(text), wanted, &metrics, &err);
}

static int parse(const char *text)
{
	return parse_wanting(text, NULL);
}

static double get(const char *name)
{
	double value = -1;

	if (metrics_get(&metrics, name, &value) != 0)
		fail_msg("no metric '%s'", name);
	return value;
}

#define assert_metric(name, wanted) assert_true(get(name) == (wanted))

static void assert_missing(const char *name)
{
	double value;

	assert_int_equal(metrics_get(&metrics, name, &value), -ENODATA);
}

static void names_are_paths(void **state)
{
	(void)state;
	assert_int_equal(parse("{\"a\": {\"b\": [7, 8.5, {\"c\": -1e3}]}, \"d e\": 0}\n"), 0);
	assert_int_equal(metrics.nr, 4);
	assert_metric("a.b.0", 7);
	assert_metric("a.b.1", 8.5);
	assert_metric("a.b.2.c", -1000);
	assert_metric("d e", 0);
	assert_string_equal(metrics.values[3].name, "d e");
	assert_missing("a");
	assert_missing("a.b");
	assert_int_equal(parse("[5]"), 0);
	assert_metric("0", 5);
}

static void only_numbers_count(void **state)
{
	(void)state;
	assert_int_equal(parse("{\"t\": true, \"f\": false, \"n\": null, \"s\": \"7\", \"e\": {},"
			       "\"l\": []}"),
			 0);
	assert_int_equal(metrics.nr, 0);
	assert_int_equal(metrics.documents, 1);
	assert_missing("t");
}

static void big_integers_are_kept(void **state)
{
	(void)state;
	assert_int_equal(parse("{\"a\": 18446744073709551615}"), 0);
	assert_metric("a", 18446744073709551616.0);
}

static void last_complete_document_counts(void **state)
{
	(void)state;
	assert_int_equal(parse("{\"a\": 1}\n{\"a\": 2, \"b\": 2}\n"), 0);
	assert_int_equal(metrics.documents, 2);
	assert_metric("a", 2);
	assert_int_equal(parse("{\"a\": 1}\n{\"a\": 2, \"b\":"), 0);
	assert_int_equal(metrics.documents, 1);
	assert_metric("a", 1);
	assert_missing("b");
}

static void chatter_is_passed_over(void **state)
{
	(void)state;
	assert_int_equal(parse("[info] start\n[1] of 2\n{oops\n # {\"no\": 1}\nsay {\"no\": 2}\n"
			       "{\r\n\t\"a\": 1\r\n}  \r\nbye\n[2] of 2\n{\"no\": 3} trailing\n"),
			 0);
	assert_int_equal(metrics.documents, 1);
	assert_metric("a", 1);
	assert_missing("no");
}

static void inside_of_a_broken_one_is_nothing(void **state)
{
	(void)state;
	assert_int_equal(parse("{\n  \"a\":\n{\n\"b\": 1\n}\n"), -ENODATA);
	assert_int_equal(metrics.documents, 0);
	assert_non_null(strstr(err.text, "document at line 1"));
	assert_int_equal(parse("{\n  \"a\": [\n  {\n    \"b\": 1\n  }\n  oops\n}\n"), -ENODATA);
	assert_non_null(strstr(err.text, "line 6"));
}

static void silence_is_told_from_damage(void **state)
{
	(void)state;
	assert_int_equal(parse(""), -ENODATA);
	assert_string_equal(err.text, "there is no JSON in the output");
	assert_int_equal(parse("hello\n"), -ENODATA);
	assert_string_equal(err.text, "there is no JSON in the output");
	assert_int_equal(parse("{\"a\": tru}"), -ENODATA);
	assert_non_null(strstr(err.text, "tru"));
}

static void what_is_no_number_refuses_the_document(void **state)
{
	static const char *const bad[] = { "NaN", "Infinity", "-Infinity", "nan",
					   "inf", "-inf",     "1e999",	   "-1e999" };
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "{\"a\": 1}\n{\"a\": 2, \"b\": %s}\n", bad[i]);
		assert_int_equal(parse(text), -EBADMSG);
		assert_int_equal(metrics.nr, 0);
		assert_non_null(strstr(err.text, "document at line 2"));
	}
	/* A later one is whole again. */
	assert_int_equal(parse("{\"a\": NaN}\n{\"a\": 2}\n"), 0);
	assert_metric("a", 2);
}

static void names_there_twice_refuse_the_document(void **state)
{
	(void)state;
	assert_int_equal(parse("{\"a\": 1, \"a\": 1}"), -EBADMSG);
	assert_int_equal(parse("{\"a.b\": 1, \"a\": {\"b\": 2}}"), -EBADMSG);
	assert_non_null(strstr(err.text, "'a.b' is there twice"));
	assert_int_equal(metrics.nr, 0);
	assert_int_equal(parse("{\"a\": {\"b\": 2}, \"a.b\": 1}"), -EBADMSG);
	assert_int_equal(parse("{\"a\": {\"b\": 2}, \"c\": {\"b\": 1}}"), 0);
}

static void wanted_names_are_kept_first(void **state)
{
	const char *const wanted[] = { "last", "n.999", NULL };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	double value;

	(void)state;
	strbuf_addstr(&text, "{\"n\": [0");
	for (int i = 1; i < 1000; i++)
		strbuf_addf(&text, ",%d", i);
	strbuf_addstr(&text, "], \"last\": 5}");
	assert_int_equal(parse_wanting(strbuf_str(&text), wanted), 0);
	assert_int_equal(metrics.nr, KTSTR_PAYLOAD_VALUES);
	assert_int_equal(metrics.dropped, 1001 - KTSTR_PAYLOAD_VALUES);
	assert_metric("last", 5);
	assert_metric("n.999", 999);
	assert_metric("n.253", 253);
	assert_int_equal(metrics_get(&metrics, "n.254", &value), -EOVERFLOW);
}

static void long_and_odd_names_are_dropped(void **state)
{
	char text[512], name[200];

	(void)state;
	memset(name, 'x', sizeof(name));
	name[METRICS_NAME_BYTES - 1] = '\0';
	snprintf(text, sizeof(text), "{\"%s\": 1, \"%sy\": 2, \"\\u0007\": 3, \"z\": 4}", name,
		 name);
	assert_int_equal(parse(text), 0);
	assert_int_equal(metrics.nr, 2);
	assert_int_equal(metrics.dropped, 2);
	assert_metric(name, 1);
	assert_metric("z", 4);
}

static void depth_has_a_limit(void **state)
{
	char text[3 * METRICS_DEPTH + 32];
	size_t n = 0;

	(void)state;
	for (int extra = 0; extra < 2; extra++) {
		n = 0;
		for (int i = 0; i < METRICS_DEPTH + extra; i++)
			text[n++] = '[';
		text[n++] = '7';
		for (int i = 0; i < METRICS_DEPTH + extra; i++)
			text[n++] = ']';
		text[n] = '\0';
		assert_int_equal(parse(text), 0);
		/* Names grow by two bytes a level, up to the limit of a name. */
		assert_int_equal(metrics.nr, extra ? 0 : 1);
		assert_int_equal(metrics.dropped, extra ? 1 : 0);
	}
}

static void broken_documents_cost_little(void **state)
{
	size_t size = 1 << 20;
	char *text = malloc(size);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < size; i++)
		text[i] = i % 2 ? '\n' : '[';
	assert_int_equal(metrics_parse(text, size, NULL, &metrics, &err), -E2BIG);
	free(text);
}

static void bytes_need_no_end(void **state)
{
	const char text[] = { '{', '"', 'a', '"', ':', '1', '}' };

	(void)state;
	assert_int_equal(metrics_parse(text, sizeof(text), NULL, &metrics, &err), 0);
	assert_metric("a", 1);
	assert_int_equal(metrics_parse("x\0y\n{\"a\":3}", 11, NULL, &metrics, &err), 0);
	assert_metric("a", 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_paths),
		cmocka_unit_test(only_numbers_count),
		cmocka_unit_test(big_integers_are_kept),
		cmocka_unit_test(last_complete_document_counts),
		cmocka_unit_test(chatter_is_passed_over),
		cmocka_unit_test(inside_of_a_broken_one_is_nothing),
		cmocka_unit_test(silence_is_told_from_damage),
		cmocka_unit_test(what_is_no_number_refuses_the_document),
		cmocka_unit_test(names_there_twice_refuse_the_document),
		cmocka_unit_test(wanted_names_are_kept_first),
		cmocka_unit_test(long_and_odd_names_are_dropped),
		cmocka_unit_test(depth_has_a_limit),
		cmocka_unit_test(broken_documents_cost_little),
		cmocka_unit_test(bytes_need_no_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
