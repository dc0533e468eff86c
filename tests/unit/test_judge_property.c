// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Whatever is lost of records that do not pass, they never come to pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "tests/unit/test_judge_made.h"

/* One thing that is not well: a field of one record. */
struct flaw {
	const char *kind, *work;
	int index;
	const char *inner; /* of an object within it */
	const char *key, *value;
	const char *check; /* that fails for it */
};

static const struct flaw flaws[] = {
	{ "worker", "hogs", 1, NULL, "outside", "\"7\"", "isolation" },
	{ "worker", "once", 0, NULL, "exit", "1", "completion" },
	{ "worker", "ice", 0, NULL, "frozen_iterations", "3", "frozen" },
	{ "step_end", NULL, -1, NULL, "ended", "\"limit\"", "step_ends" },
	{ "worker", "hogs", 1, NULL, "gap_ns", "800000000", "gap_ns" },
	{ "wait", "hogs", 1, NULL, "wait_ns", "800000000", "wait_ns" },
	{ "wait", "hogs", 1, NULL, "idle_ns", "90000000", "idle_while_waiting_ns" },
	{ "worker", "naps", 1, "wakes", "p50_ns", "9000000", "wake_p50_ns" },
	{ "worker", "naps", 1, "wakes", "p99_ns", "9000000", "wake_p99_ns" },
	{ "worker", "naps", 1, "wakes", "max_ns", "9000000", "wake_max_ns" },
	{ "worker", "hogs", 1, NULL, "cpu_ns", "9000000", "spread_percent" },
	{ "worker", "hogs", 1, NULL, "cpu_ns", "990000000", "cpu_share_max_percent" },
	{ "worker", "hogs", 1, NULL, "migrations", "990", "migrations_per_s" },
	{ "worker", "naps", 1, NULL, "iterations", "2", "iterations_per_s" },
	{ "worker", "naps", 1, NULL, "remote_ns", "99000000", "local_percent" },
	{ "cpu", NULL, -1, NULL, "kicks", "99000", "kicks_per_s" },
	{ "cgroup", NULL, -1, NULL, "usage_ns", "3000000000", "weight_error_percent" },
};

static json_t *flawed(const struct flaw *flaw)
{
	json_t *records = made_records(made_demands());
	json_t *object = made_find(records, flaw->kind, flaw->work, flaw->index);

	if (flaw->inner)
		object = json_object_get(object, flaw->inner);
	made_set(object, flaw->key, flaw->value);
	return records;
}

static bool passes(const json_t *records)
{
	static struct judge_findings findings;

	assert_int_equal(judge_run(records, true, &made_host, &findings), 0);
	for (size_t i = 0; i < findings.nr; i++)
		if (findings.items[i].verdict != KTSTR_PASS &&
		    findings.items[i].verdict != KTSTR_SKIP)
			return false;
	return true;
}

static void name_it(const json_t *record, const char *key)
{
	_cleanup_free_ char *text = json_dumps(record, 0);

	fail_msg("without '%s' it passes: %s", key, text);
}

/* Takes away each field of @object in turn. */
static void lose_fields(const json_t *records, const json_t *record, json_t *object)
{
	_cleanup_free_ char *before = json_dumps(object, JSON_ENCODE_ANY);
	json_t *keys = json_object();
	const char *key;
	json_t *value;

	json_object_update(keys, object);
	json_object_foreach(keys, key, value)
	{
		json_object_del(object, key);
		if (passes(records))
			name_it(record, key);
		json_object_set(object, key, value);
	}
	json_decref(keys);
	assert_non_null(before);
}

static void no_lost_field_makes_a_pass(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(flaws); i++) {
		json_t *records = flawed(&flaws[i]);
		json_t *record;
		size_t k;

		if (made_wrong(records, &made_host, flaws[i].check, KTSTR_FAIL, ""))
			fail_msg("%s does not fail", flaws[i].check);
		json_array_foreach(records, k, record)
		{
			lose_fields(records, record, record);
			if (json_object_get(record, "wakes"))
				lose_fields(records, record, json_object_get(record, "wakes"));
		}
		json_decref(records);
	}
}

static void no_lost_record_makes_a_pass(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(flaws); i++) {
		json_t *records = flawed(&flaws[i]);

		for (size_t k = 0; k < json_array_size(records); k++) {
			json_t *record = json_incref(json_array_get(records, k));

			json_array_remove(records, k);
			if (passes(records))
				name_it(record, "all of it");
			json_array_insert_new(records, k, record);
		}
		json_decref(records);
	}
}

/* Even if the number of records were right.  Who is frozen need not be known to have waited. */
static void no_record_is_needless(void **state)
{
	static const char *const needless[] = { "counters", "cpu", "op", "cgroup", "step_begin" };
	json_t *records = made_records(made_demands());

	(void)state;
	for (size_t k = 0; k + 1 < json_array_size(records); k++) {
		json_t *record = json_incref(json_array_get(records, k));
		const char *kind = json_string_value(json_object_get(record, "kind"));
		const char *work = json_string_value(json_object_get(record, "work"));
		bool may_pass = work && !strcmp(work, "ice");

		for (size_t i = 0; i < ARRAY_SIZE(needless); i++)
			may_pass |= !strcmp(kind, needless[i]);
		made_remove(records, k);
		if (!may_pass && passes(records))
			name_it(record, "all of it");
		made_insert(records, k, record);
	}
	json_decref(records);
}

/* A stream is cut off anywhere. */
static void nothing_passes_that_was_cut_off(void **state)
{
	json_t *records = made_records(made_demands());

	(void)state;
	assert_true(passes(records));
	while (json_array_size(records)) {
		json_array_remove(records, json_array_size(records) - 1);
		assert_false(passes(records));
	}
	json_decref(records);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_lost_field_makes_a_pass),
		cmocka_unit_test(no_lost_record_makes_a_pass),
		cmocka_unit_test(no_record_is_needless),
		cmocka_unit_test(nothing_passes_that_was_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
