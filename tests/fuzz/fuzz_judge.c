// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "check/findings.h"
#include "check/judge.h"
#include "tests/lib/made_records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_end(const json_t *record)
{
	const char *kind = json_string_value(json_object_get(record, "kind"));

	return kind && !strcmp(kind, "end");
}

/* Every finding can be told, and none passes of records without an end. */
static void check(const struct judge_findings *findings, bool ended)
{
	if (!findings->nr && !findings->more)
		return;
	for (size_t i = 0; i < findings->nr; i++) {
		const struct judge_finding *f = &findings->items[i];
		json_t *object = finding_to_json(f), *record = finding_to_check(f);

		if (!object || !record || (f->verdict == KTSTR_PASS && !ended) ||
		    (f->has_value && isnan(f->value)))
			abort();
		json_decref(object);
		json_decref(record);
	}
}

static json_t *field_at(json_t *object, uint8_t at, const char **ret_key)
{
	json_t *value;
	const char *key;
	size_t i = 0;

	*ret_key = NULL;
	json_object_foreach(object, key, value)
	{
		*ret_key = key;
		if (i++ == at % json_object_size(object))
			return value;
	}
	return NULL;
}

static json_t *number(uint8_t byte)
{
	return json_integer(byte < 128 ? byte : INT64_C(1) << (byte - 128) % 63);
}

/* Four bytes: which record, which of its fields, what is done, with what. */
static void edit(json_t *records, const uint8_t edit[4])
{
	static const char *const words[] = { "",       "0-3",	     "255",	     "ended",
					     "broken", "ejected",    "idle",	     "hogs",
					     "left",   "nice_sweep", "deadline:1ms", "0" };
	size_t place = edit[0] % json_array_size(records);
	json_t *record = json_array_get(records, place), *value;
	const char *key;

	value = field_at(record, edit[1], &key);
	switch (key ? edit[2] % 7 : 6) {
	case 0:
		json_object_del(record, key);
		return;
	case 1:
		json_object_set_new(record, key, number(edit[3]));
		return;
	case 2:
		json_object_set_new(record, key, json_string(words[edit[3] % ARRAY_SIZE(words)]));
		return;
	case 3:
		json_object_set_new(record, key, json_boolean(edit[3] & 1));
		return;
	case 4:
		json_array_remove(records, place);
		return;
	case 5:
		if (json_is_object(value) && field_at(value, edit[3], &key))
			json_object_del(value, key);
		return;
	default:
		if (json_array_size(records) < 200)
			json_array_insert_new(records, place, json_deep_copy(record));
	}
}

/* Good records, and what is done to them. */
static json_t *edited(const uint8_t *data, size_t size)
{
	json_t *records = made_records(made_demands());

	for (; size >= 4 && json_array_size(records) > 1; data += 4, size -= 4)
		edit(records, data);
	if (size & 1)
		made_count(records);
	return records;
}

/* The first byte says what the host did; a JSON array of records follows, or what is changed. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct judge_findings findings;
	const struct judge_disturbance disturbance = { 5000000000, 7000000000, 200000000 };
	struct judge_host host = { .disturbances = &disturbance, .nr_disturbances = 1 };
	json_t *records;
	bool ended;

	if (!size)
		return 0;
	host.exact = *data & 1;
	host.measured = *data & 2;
	host.one_thread = *data & 4;
	host.nr_vcpus = *data >> 4;
	host.turn_ns = *data & 8 ? 1000000 : 0;
	records = size > 1 && data[1] == '[' ? json_loadb((const char *)data + 1, size - 1, 0, NULL)
					     : edited(data + 1, size - 1);
	if (!json_is_array(records)) {
		json_decref(records);
		return 0;
	}
	ended = is_end(json_array_get(records, json_array_size(records) - 1));
	if (judge_run(records, !(*data & 0x10), &host, &findings) < 0)
		abort();
	check(&findings, ended);
	json_decref(records);
	return 0;
}
