// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "run/result.h"

#define DIGEST "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void fill(struct result *r)
{
	*r = (struct result){
		.name = strdup("holds_always"),
		.about = strdup("what holds"),
		.id = strdup("holds_always@18446744073709551615#2"),
		.seed = UINT64_MAX,
		.repetition = 2,
		.mode = "exact",
		.inputs = json_pack("{s:s, s:s}", "qemu", "10.0.2", "kernel", "7.3.4"),
		.events_sha256 = DIGEST,
		.nr_events = 11,
		.virtual_ns = 12,
		.cloned = true,
		.verdict = KTSTR_FAIL,
		.end = "checks",
		.reasons = strdup("one\ntwo \xc3\xa9\n"),
		.failed = json_pack("[{s:s, s:i}]", "file", "a.c", "line", 3),
		.notes = json_pack("[s, s]", "n\x01", "m"),
		.values = json_pack("[{s:s, s:f, s:s}]", "name", "v", "value", 0.1, "unit", "ns"),
		.payloads = json_pack("[{s:s, s:{s:i}}]", "name", "p", "metrics", "x", 1),
		.nr_checks = 21,
		.nr_failed = 22,
		.nr_notes = 23,
		.nr_values = 24,
		.duration_ns = 31,
		.hello_ns = 32,
		.body_ns = 33,
		.topology = "1n2l4c1t",
		.kernel = strdup("7.3.4-cloud"),
		.console_tail = strdup("last"),
		.output_tail = strdup("words\n"),
		.folder = strdup("/a b/\x01"),
		.rerun = strdup("./t -t 'x\ty'"),
		.no_capacity = true,
	};
}

static void assert_same(const struct result *a, const struct result *b)
{
	assert_string_equal(a->name, b->name);
	assert_string_equal(a->about, b->about);
	assert_string_equal(a->id, b->id);
	assert_int_equal(a->seed, b->seed);
	assert_int_equal(a->repetition, b->repetition);
	assert_string_equal(a->mode, b->mode);
	assert_true(json_equal(a->inputs, b->inputs));
	assert_string_equal(a->events_sha256, b->events_sha256);
	assert_int_equal(a->nr_events, b->nr_events);
	assert_int_equal(a->virtual_ns, b->virtual_ns);
	assert_int_equal(a->cloned, b->cloned);
	assert_int_equal(a->verdict, b->verdict);
	assert_string_equal(a->end, b->end);
	assert_string_equal(a->reasons, b->reasons);
	assert_true(json_equal(a->failed, b->failed));
	assert_true(json_equal(a->notes, b->notes));
	assert_true(json_equal(a->values, b->values));
	assert_true(json_equal(a->payloads, b->payloads));
	assert_int_equal(a->nr_checks, b->nr_checks);
	assert_int_equal(a->nr_failed, b->nr_failed);
	assert_int_equal(a->nr_notes, b->nr_notes);
	assert_int_equal(a->nr_values, b->nr_values);
	assert_int_equal(a->duration_ns, b->duration_ns);
	assert_int_equal(a->hello_ns, b->hello_ns);
	assert_int_equal(a->body_ns, b->body_ns);
	assert_string_equal(a->topology, b->topology);
	assert_string_equal(a->kernel, b->kernel);
	assert_string_equal(a->console_tail, b->console_tail);
	assert_string_equal(a->output_tail, b->output_tail);
	assert_string_equal(a->folder, b->folder);
	assert_string_equal(a->rerun, b->rerun);
	assert_int_equal(a->no_capacity, b->no_capacity);
}

/* Through the text, as a file has it. */
static json_t *written(const struct result *result)
{
	json_t *object = result_to_json(result), *again;
	char *text;

	assert_non_null(object);
	text = json_dumps(object, JSON_COMPACT);
	assert_non_null(text);
	json_decref(object);
	again = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(again);
	free(text);
	return again;
}

static void every_field_comes_back(void **state)
{
	struct result before, after = { 0 };
	struct ktstr_error err;
	json_t *object;

	(void)state;
	fill(&before);
	object = written(&before);
	assert_string_equal(json_string_value(json_object_get(object, "seed")),
			    "18446744073709551615");
	assert_int_equal(json_integer_value(json_object_get(object, "version")), 2);
	assert_int_equal(result_from_json(object, &after, &err), 0);
	json_decref(object);
	assert_same(&before, &after);
	result_deinit(&before);
	result_deinit(&after);
}

static void nothing_stays_nothing(void **state)
{
	struct result before = { .name = (char *)"t", .end = "finished", .verdict = KTSTR_PASS };
	struct result after = { 0 };
	struct ktstr_error err;
	json_t *object = written(&before);

	(void)state;
	assert_int_equal(json_object_size(object), 6);
	assert_int_equal(result_from_json(object, &after, &err), 0);
	json_decref(object);
	assert_null(after.id);
	assert_null(after.about);
	assert_null(after.inputs);
	assert_null(after.notes);
	assert_null(after.folder);
	assert_null(after.console_tail);
	assert_string_equal(after.reasons, "");
	assert_string_equal(after.mode, "");
	assert_string_equal(after.events_sha256, "");
	assert_int_equal(after.seed, 0);
	result_deinit(&after);
}

static void seed_zero_is_a_seed(void **state)
{
	struct result before = { .name = (char *)"t", .repetition = 1, .end = "finished" };
	json_t *object = written(&before);

	(void)state;
	assert_string_equal(json_string_value(json_object_get(object, "seed")), "0");
	json_decref(object);
}

/* The text of a foreign file may hold what no terminal and no XML may see. */
static void texts_are_cleaned(void **state)
{
	struct result before, after = { 0 };
	struct ktstr_error err;
	json_t *object;

	(void)state;
	fill(&before);
	object = written(&before);
	json_object_set_new(object, "reasons", json_string("a\x1b[31m"));
	assert_int_equal(result_from_json(object, &after, &err), 0);
	assert_string_equal(after.reasons, "a\\x1b[31m");
	json_decref(object);
	result_deinit(&before);
	result_deinit(&after);
}

/* What a test was called whose name is refused. */
static void odd_names_come_back(void **state)
{
	struct result before = { .name = (char *)"a b \xc3\xa9", .end = "not-started" };
	struct result after = { 0 };
	struct ktstr_error err;
	json_t *object = written(&before);

	(void)state;
	assert_int_equal(result_from_json(object, &after, &err), 0);
	assert_string_equal(after.name, "a b \xc3\xa9");
	json_decref(object);
	result_deinit(&after);
}

static json_t *long_text(size_t len)
{
	char *text = malloc(len + 1);
	json_t *json;

	assert_non_null(text);
	memset(text, 'a', len);
	text[len] = '\0';
	json = json_string(text);
	free(text);
	return json;
}

static json_t *list_of(size_t nr, const char *item)
{
	json_t *list = json_array();

	while (nr--)
		json_array_append_new(list, json_loads(item, JSON_DECODE_ANY, NULL));
	return list;
}

/* A whole result in which @key is @value (taken; NULL: missing) is refused with @code. */
static void refused(const char *key, json_t *value, int code)
{
	struct result before, after = { .name = (char *)"untouched" };
	struct ktstr_error err = { 0 };
	json_t *object;

	fill(&before);
	object = written(&before);
	if (value)
		json_object_set_new(object, key, value);
	else
		json_object_del(object, key);
	assert_int_equal(result_from_json(object, &after, &err), code);
	assert_non_null(strstr(err.text, key));
	assert_string_equal(after.name, "untouched");
	json_decref(object);
	result_deinit(&before);
}

static void missing_keys_are_refused(void **state)
{
	static const char *const keys[] = { "type", "version", "test", "verdict", "end", "checks" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		refused(keys[i], NULL, -EINVAL);
}

static void other_types_are_refused(void **state)
{
	static const char *const keys[] = {
		"type",		 "version",	 "test",	  "verdict",
		"end",		 "checks",	 "duration_ns",	  "id",
		"seed",		 "repetition",	 "mode",	  "inputs",
		"events_sha256", "events",	 "virtual_ns",	  "cloned",
		"about",	 "reasons",	 "hello_ns",	  "body_ns",
		"topology",	 "kernel",	 "checks_failed", "failed",
		"notes",	 "values",	 "payloads",	  "no_capacity",
		"console_tail",	 "output_tail",	 "folder",	  "rerun",
		"notes_total",	 "values_total",
	};
	struct result whole;
	json_t *object, *value;
	const char *key;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		refused(keys[i], json_null(), -EINVAL);
		refused(keys[i], json_real(1.5), -EINVAL);
	}
	/* The list above is whole. */
	fill(&whole);
	object = written(&whole);
	assert_int_equal(json_object_size(object), ARRAY_SIZE(keys));
	json_object_foreach(object, key, value) assert_non_null(value);
	json_decref(object);
	result_deinit(&whole);
}

static void wrong_values_are_refused(void **state)
{
	(void)state;
	refused("type", json_string("summary"), -EINVAL);
	refused("version", json_integer(0), -EINVAL);
	refused("version", json_integer(RESULT_VERSION + 1), -ENOTSUP);
	refused("verdict", json_string("GOOD"), -EINVAL);
	refused("end", json_string("a<b"), -EINVAL);
	refused("end", json_string(""), -EINVAL);
	refused("id", json_string(""), -EINVAL);
	refused("id", json_string("a\x1b"), -EINVAL);
	refused("id", json_string("a\n"), -EINVAL);
	refused("test", json_string("\xc2\x80"), -EINVAL);
	refused("test", json_stringn("a\0b", 3), -EINVAL);
	refused("about", json_stringn("a\0b", 3), -EINVAL);
	refused("mode", json_stringn("a\0b", 3), -EINVAL);
	refused("seed", json_integer(1), -EINVAL);
	refused("seed", json_string("18446744073709551616"), -EINVAL);
	refused("seed", json_string("-1"), -EINVAL);
	refused("checks", json_integer(-1), -EINVAL);
	refused("events", json_integer(-1), -EINVAL);
	refused("repetition", json_integer(1LL << 32), -EINVAL);
	refused("events_sha256", json_string("0123"), -EINVAL);
	refused("notes", json_pack("[i]", 1), -EINVAL);
	refused("failed", json_pack("[s]", "a"), -EINVAL);
	refused("values", json_pack("[{s:s}]", "name", "v"), -EINVAL);
	refused("values", json_pack("[{s:i}]", "value", 1), -EINVAL);
	refused("payloads", json_pack("[{}]"), -EINVAL);
	refused("inputs", json_array(), -EINVAL);
	refused("notes_total", json_integer(1), -EINVAL);
}

static void sizes_have_limits(void **state)
{
	(void)state;
	refused("id", long_text(RESULT_ID_MAX + 1), -E2BIG);
	refused("test", long_text(RESULT_ID_MAX + 1), -E2BIG);
	refused("end", long_text(RESULT_END_SIZE), -E2BIG);
	refused("mode", long_text(8), -E2BIG);
	refused("topology", long_text(KTSTR_TOPOLOGY_TEXT), -E2BIG);
	refused("reasons", long_text(RESULT_TEXT_MAX + 1), -E2BIG);
	refused("failed", list_of(EVIDENCE_FAILED + 1, "{}"), -E2BIG);
	refused("notes", list_of(EVIDENCE_NOTES + 1, "\"\""), -E2BIG);
	refused("values", list_of(EVIDENCE_VALUES + 1, "{}"), -E2BIG);
	refused("payloads", list_of(EVIDENCE_PAYLOADS + 1, "{}"), -E2BIG);
}

static void version_1_and_unknown_keys_are_read(void **state)
{
	struct result result = { 0 };
	struct ktstr_error err;
	json_t *object = json_loads("{\"type\":\"result\",\"version\":1,\"test\":\"t\","
				    "\"verdict\":\"SKIP\",\"end\":\"skipped\",\"checks\":0,"
				    "\"duration_ns\":5,\"later\":{}}",
				    0, NULL);

	(void)state;
	assert_int_equal(result_from_json(object, &result, &err), 0);
	assert_int_equal(result.verdict, KTSTR_SKIP);
	result_deinit(&result);
	json_decref(object);
	object = json_array();
	assert_int_equal(result_from_json(object, &result, &err), -EINVAL);
	json_decref(object);
	assert_int_equal(result_from_json(NULL, &result, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_comes_back),
		cmocka_unit_test(nothing_stays_nothing),
		cmocka_unit_test(seed_zero_is_a_seed),
		cmocka_unit_test(texts_are_cleaned),
		cmocka_unit_test(odd_names_come_back),
		cmocka_unit_test(missing_keys_are_refused),
		cmocka_unit_test(other_types_are_refused),
		cmocka_unit_test(wrong_values_are_refused),
		cmocka_unit_test(sizes_have_limits),
		cmocka_unit_test(version_1_and_unknown_keys_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
