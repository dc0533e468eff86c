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

#include <jansson.h>

#include <ktstr/ctprof_render.h>

#include "base/cleanup.h"
#include "tests/lib/made_snapshot.h"

static struct ktstr_ctprof_comparison *compare(struct made *a, struct made *b)
{
	struct ktstr_ctprof_side x = { .snapshot = made_snapshot(a), .name = "a\"b" };
	struct ktstr_ctprof_side y = { .name = "y" };
	struct ktstr_ctprof_compare_opts opts = { .group_by = KTSTR_CTPROF_BY_PROCESS };
	struct ktstr_ctprof_comparison *c = NULL;
	struct ktstr_error err;

	if (b)
		y.snapshot = made_snapshot(b);
	assert_int_equal(ktstr_ctprof_compare(&x, b ? &y : NULL, &opts, &c, &err), 0);
	return c;
}

static json_t *json_of(const struct ktstr_ctprof_comparison *c)
{
	_cleanup_free_ char *text = NULL;
	json_error_t error;
	json_t *json;

	assert_int_equal(ktstr_ctprof_render_json(c, &text, NULL), 0);
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	json = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	if (!json)
		fail_msg("%s at %d: %s", error.text, error.position, text);
	return json;
}

static json_t *metric(json_t *json, size_t block, size_t group, const char *name)
{
	json_t *g = json_array_get(
		json_object_get(json_array_get(json_object_get(json, "blocks"), block), "groups"),
		group);

	return json_object_get(json_object_get(g, "metrics"), name);
}

static double number(json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	assert_true(json_is_number(value));
	return json_number_value(value);
}

static void all_is_there_and_absent_is_left_out(void **state)
{
	struct made *a = made_create(), *b = made_create();
	struct ktstr_ctprof_comparison *c;
	json_t *json, *m;

	(void)state;
	made_put(a, made_thread(a, 1, 1, "p\xff\"\n", "t", "/"), KTSTR_CTPROF_RUN_TIME, 1000);
	made_put(b, made_thread(b, 1, 1, "p\xff\"\n", "t", "/"), KTSTR_CTPROF_RUN_TIME, 1500);
	made_put(b, made_thread(b, 1, 2, "p\xff\"\n", "t", "/"), KTSTR_CTPROF_NICE, -3);
	made_put(b, made_thread(b, 1, 3, "p\xff\"\n", "t", "/"), KTSTR_CTPROF_NICE, 5);
	made_at(b, 2);
	c = compare(a, b);
	json = json_of(c);
	assert_string_equal(json_string_value(json_object_get(json, "type")),
			    "ktstr-ctprof-comparison");
	assert_true(json_is_true(json_object_get(json, "one_boot")));
	assert_true(number(json, "seconds") == 2 && number(json, "born") == 2);
	m = metric(json, 1, 0, "run_time_ns");
	assert_true(number(m, "change") == 500 && number(m, "percent") == 50);
	assert_true(number(json_object_get(m, "between"), "value") == 500);
	assert_true(number(json_object_get(m, "after"), "have") == 1);
	assert_true(number(json_object_get(m, "after"), "of") == 3);
	m = json_object_get(metric(json, 1, 0, "nice"), "after");
	assert_true(number(m, "low") == -3 && number(m, "high") == 5);
	assert_null(
		json_object_get(json_object_get(metric(json, 1, 0, "nice"), "before"), "value"));
	assert_null(json_object_get(metric(json, 1, 0, "nice"), "between"));
	assert_null(metric(json, 1, 0, "wait_time_ns"));
	json_decref(json);
	ktstr_ctprof_comparison_destroy(c);
	made_destroy(a);
	made_destroy(b);
}

static void one_side_has_no_changes(void **state)
{
	struct made *a = made_create();
	struct ktstr_ctprof_comparison *c;
	json_t *json, *m;

	(void)state;
	made_put(a, made_thread(a, 1, 1, "p", "t", "/"), KTSTR_CTPROF_RUN_TIME, 1000);
	made_host_text(a, KTSTR_CTPROF_HOST_TEXT_CMDLINE, "quiet");
	c = compare(a, NULL);
	json = json_of(c);
	m = metric(json, 0, 0, "run_time_ns");
	assert_true(number(json_object_get(m, "now"), "value") == 1000);
	assert_null(json_object_get(m, "change"));
	m = json_object_get(metric(json, 0, 0, "cmdline"), "now");
	assert_string_equal(json_string_value(json_object_get(m, "text")), "quiet");
	assert_null(json_object_get(m, "value"));
	json_decref(json);
	ktstr_ctprof_comparison_destroy(c);
	made_destroy(a);
}

/* More than a double holds. */
static void sums_are_exact(void **state)
{
	struct made_pair *m = *state;
	struct ktstr_ctprof_comparison *c;
	json_t *json, *value;

	made_put(m->a, made_thread(m->a, 1, 1, "p", "t", "/"), KTSTR_CTPROF_RUN_TIME,
		 1234567890123456789);
	made_put(m->b, made_thread(m->b, 1, 1, "p", "t", "/"), KTSTR_CTPROF_RUN_TIME,
		 1234567890123456791);
	made_at(m->b, 2);
	c = compare(m->a, m->b);
	json = json_of(c);
	value = json_object_get(json_object_get(metric(json, 1, 0, "run_time_ns"), "before"),
				"value");
	assert_true(json_is_integer(value));
	assert_true(json_integer_value(value) == 1234567890123456789);
	value = json_object_get(metric(json, 1, 0, "run_time_ns"), "change");
	assert_true(json_integer_value(value) == 2);
	json_decref(json);
	ktstr_ctprof_comparison_destroy(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_there_and_absent_is_left_out),
		cmocka_unit_test(one_side_has_no_changes),
		MADE_TEST(sums_are_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
