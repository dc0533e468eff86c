/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* test_judge_stream.h - one stream of made records, which a test of the judge spoils as it likes. */
#ifndef KTSTR_TEST_JUDGE_STREAM_H
#define KTSTR_TEST_JUDGE_STREAM_H

#include "tests/unit/test_judge_made.h"

static json_t *records;

static inline int made_set_up(void **state)
{
	(void)state;
	records = made_records(made_demands());
	return 0;
}

static inline int made_tear_down(void **state)
{
	(void)state;
	json_decref(records);
	return 0;
}

static inline json_t *worker(const char *work, int index)
{
	return made_find(records, "worker", work, index);
}

/* Puts an ejection in the place of the detachment, and breaks the step off. */
static inline void made_eject(const char *at_ns)
{
	json_t *gone = json_array_get(records, json_array_size(records) - 2);

	made_set(gone, "event", "\"ejected\"");
	made_set(gone, "at_ns", at_ns);
	made_set(gone, "story", "\"stall\"");
	made_set(gone, "text", "\"the kernel ejected mine\"");
	made_set(gone, "exit_kind", "1026");
	made_set(gone, "reason", "\"runnable task stall\"");
	made_set(gone, "message", "\"hogs/2[102] failed to run for 6.432s\"");
	made_set(made_find(records, "step_end", NULL, -1), "ended", "\"broken\"");
}

static inline void made_shift(json_t *record, const char *key)
{
	json_t *at = json_object_get(record, key);

	if (at)
		json_object_set_new(record, key, json_integer(json_integer_value(at) + 1000000000));
}

/* A second step, a second later, of which all is told that is told of the first. */
static inline void made_add_step(void)
{
	static const char *const times[] = { "begin_ns", "end_ns", "gap_begin_ns",
					     "idle_begin_ns" };
	size_t nr = json_array_size(records) - 3;

	for (size_t i = 0; i < nr; i++) {
		json_t *record = json_array_get(records, i), *copy;

		if (!json_object_get(record, "step"))
			continue;
		copy = json_deep_copy(record);
		json_object_set_new(copy, "step", json_integer(1));
		for (size_t t = 0; t < sizeof(times) / sizeof(times[0]); t++)
			made_shift(copy, times[t]);
		made_insert(records, json_array_size(records) - 3, copy);
	}
	made_set(json_array_get(records, 0), "steps", "[\"load\", \"more\"]");
	made_set(json_array_get(records, json_array_size(records) - 1), "steps", "2");
}

static inline json_t *made_in_second_step(const char *kind, const char *key, const char *value,
					  int index)
{
	json_t *record;
	size_t i;

	json_array_foreach(records, i, record)
	{
		if (json_integer_value(json_object_get(record, "step")) == 1 &&
		    !strcmp(json_string_value(json_object_get(record, "kind")), kind) &&
		    !strcmp(json_string_value(json_object_get(record, key)), value) &&
		    json_integer_value(json_object_get(record, "index")) == index)
			return record;
	}
	fail_msg("no %s of %s in the second step", kind, value);
	return NULL;
}

static inline void made_expect(const struct judge_host *host, const char *check,
			       enum ktstr_verdict verdict, const char *text)
{
	const char *wrong = made_wrong(records, host, check, verdict, text);

	if (wrong)
		fail_msg("%s", wrong);
}

static inline void expect(const char *check, enum ktstr_verdict verdict, const char *text)
{
	made_expect(&made_host, check, verdict, text);
}

#endif
