// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/text.h"
#include "check/judge.h"
#include "run/result.h"

enum kind {
	KIND_TEXT,    /* char *, cleaned */
	KIND_RAW,     /* char *, as it came */
	KIND_ID,      /* char *, result_is_id() */
	KIND_BUFFER,  /* char [], no blanks; limit is its size */
	KIND_U64,     /* absent if 0 */
	KIND_U32,     /* likewise */
	KIND_FLAG,    /* absent if false */
	KIND_STRINGS, /* json_t *, a list; absent if empty; limit is its length */
	KIND_OBJECTS, /* likewise */
	KIND_NAMED,   /* likewise; each has a "name" */
	KIND_VALUES,  /* likewise; and a number "value" */
	KIND_OBJECT   /* json_t * */
};

/* A key of the object and where its value lives. */
struct field {
	const char *key;
	enum kind kind;
	size_t offset, limit;
};

#define FIELD(key, kind, member, limit)                                      \
	{                                                                    \
		key, kind, offsetof(struct result, member),                  \
			limit ? limit : sizeof(((struct result *)0)->member) \
	}

static const struct field fields[] = {
	FIELD("id", KIND_ID, id, RESULT_ID_MAX),
	FIELD("repetition", KIND_U32, repetition, 0),
	FIELD("mode", KIND_BUFFER, mode, 0),
	FIELD("about", KIND_TEXT, about, RESULT_TEXT_MAX),
	FIELD("reasons", KIND_TEXT, reasons, RESULT_TEXT_MAX),
	FIELD("duration_ns", KIND_U64, duration_ns, 0),
	FIELD("hello_ns", KIND_U64, hello_ns, 0),
	FIELD("body_ns", KIND_U64, body_ns, 0),
	FIELD("virtual_ns", KIND_U64, virtual_ns, 0),
	FIELD("topology", KIND_BUFFER, topology, 0),
	FIELD("kernel", KIND_TEXT, kernel, RESULT_TEXT_MAX),
	FIELD("cloned", KIND_FLAG, cloned, 0),
	FIELD("events", KIND_U64, nr_events, 0),
	FIELD("events_sha256", KIND_BUFFER, events_sha256, 0),
	FIELD("inputs", KIND_OBJECT, inputs, 0),
	FIELD("checks_failed", KIND_U64, nr_failed, 0),
	FIELD("failed", KIND_OBJECTS, failed, EVIDENCE_FAILED),
	FIELD("notes", KIND_STRINGS, notes, EVIDENCE_NOTES),
	FIELD("values", KIND_VALUES, values, EVIDENCE_VALUES),
	FIELD("payloads", KIND_NAMED, payloads, EVIDENCE_PAYLOADS),
	FIELD("findings", KIND_OBJECTS, findings, JUDGE_FINDINGS),
	FIELD("no_capacity", KIND_FLAG, no_capacity, 0),
	FIELD("console_tail", KIND_TEXT, console_tail, RESULT_TEXT_MAX),
	FIELD("output_tail", KIND_TEXT, output_tail, RESULT_TEXT_MAX),
	FIELD("folder", KIND_RAW, folder, RESULT_TEXT_MAX),
	FIELD("rerun", KIND_RAW, rerun, RESULT_TEXT_MAX),
};

/* --- writing ----------------------------------------------------------------------------------*/

static void set_text(json_t *object, const char *key, const char *text)
{
	if (text && *text)
		json_object_set_new(object, key, json_string(text));
}

static void set_number(json_t *object, const char *key, uint64_t value)
{
	if (value)
		json_object_set_new(object, key, json_integer((json_int_t)value));
}

static void put_field(json_t *object, const struct field *field, const void *from)
{
	json_t *json;

	switch (field->kind) {
	case KIND_TEXT:
	case KIND_RAW:
	case KIND_ID:
		set_text(object, field->key, *(char *const *)from);
		break;
	case KIND_BUFFER:
		set_text(object, field->key, from);
		break;
	case KIND_U64:
		set_number(object, field->key, *(const uint64_t *)from);
		break;
	case KIND_U32:
		set_number(object, field->key, *(const uint32_t *)from);
		break;
	case KIND_FLAG:
		if (*(const bool *)from)
			json_object_set_new(object, field->key, json_true());
		break;
	case KIND_STRINGS:
	case KIND_OBJECTS:
	case KIND_NAMED:
	case KIND_VALUES:
	case KIND_OBJECT:
		json = *(json_t *const *)from;
		if (json_array_size(json) || json_object_size(json))
			json_object_set(object, field->key, json);
		break;
	}
}

/* Beyond what JSON readers keep of a number, so it is written as text.  What has a repetition was
 * planned, and 0 is a seed as any other. */
static void put_seed(json_t *object, const struct result *result)
{
	char text[24];

	if (!result->repetition && !result->seed)
		return;
	snprintf(text, sizeof(text), "%" PRIu64, result->seed);
	set_text(object, "seed", text);
}

/* Only if more were made than are kept. */
static void put_total(json_t *object, const char *key, uint64_t total, const json_t *list)
{
	if (total > json_array_size(list))
		set_number(object, key, total);
}

json_t *result_to_json(const struct result *result)
{
	json_t *object = json_pack("{s:s, s:i, s:s, s:s, s:s, s:I}", "type", "result", "version",
				   RESULT_VERSION, "test", result->name, "verdict",
				   ktstr_verdict_name(result->verdict), "end", result->end,
				   "checks", (json_int_t)result->nr_checks);

	if (!object)
		return NULL;
	put_seed(object, result);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		put_field(object, &fields[i], (const char *)result + fields[i].offset);
	put_total(object, "notes_total", result->nr_notes, result->notes);
	put_total(object, "values_total", result->nr_values, result->values);
	return object;
}

/* --- reading ----------------------------------------------------------------------------------*/

static int wrong(const char *key, const char *wanted, struct ktstr_error *err)
{
	return ktstr_error_set(err, -EINVAL, "\"%s\" is not %s", key, wanted);
}

static int too_long(const struct field *field, struct ktstr_error *err)
{
	return ktstr_error_set(err, -E2BIG, "\"%s\" is longer than the limit of %zu", field->key,
			       field->limit);
}

/* Printable ASCII without blanks: fit for every format as it is. */
static bool is_word(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return len > 0;
}

bool result_is_id(const char *text, size_t len)
{
	_cleanup_free_ char *clean = NULL;

	if (!text || !len || len > RESULT_ID_MAX || strlen(text) != len)
		return false;
	if (is_word(text, len))
		return true;
	clean = text_clean(text, len);
	return clean && !strcmp(clean, text) && !strchr(text, '\n');
}

static int read_text(const struct field *field, const json_t *value, char **slot,
		     struct ktstr_error *err)
{
	const char *text = json_string_value(value);
	size_t len = json_string_length(value);

	if (!text || strlen(text) != len)
		return wrong(field->key, "a text", err);
	if (len > field->limit)
		return too_long(field, err);
	if (field->kind == KIND_ID && !result_is_id(text, len))
		return wrong(field->key, "a name", err);
	*slot = field->kind == KIND_TEXT ? text_clean(text, len) : strdup(text);
	return *slot ? 0 : ktstr_error_nomem(err);
}

static int read_buffer(const struct field *field, const json_t *value, char *buffer,
		       struct ktstr_error *err)
{
	const char *text = json_string_value(value);
	size_t len = json_string_length(value);

	if (!text || !is_word(text, len))
		return wrong(field->key, "a word", err);
	if (len >= field->limit)
		return too_long(field, err);
	memcpy(buffer, text, len + 1);
	return 0;
}

static int read_number(const char *key, const json_t *value, uint64_t max, uint64_t *ret,
		       struct ktstr_error *err)
{
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value) || number < 0 || (uint64_t)number > max)
		return wrong(key, "a whole number in its range", err);
	*ret = (uint64_t)number;
	return 0;
}

static bool is_item(enum kind kind, const json_t *item)
{
	if (kind == KIND_STRINGS)
		return json_is_string(item);
	if (kind == KIND_VALUES && !json_is_number(json_object_get(item, "value")))
		return false;
	if (kind != KIND_OBJECTS && !json_is_string(json_object_get(item, "name")))
		return false;
	return json_is_object(item);
}

static int read_list(const struct field *field, json_t *value, json_t **slot,
		     struct ktstr_error *err)
{
	json_t *item;
	size_t i;

	if (!json_is_array(value))
		return wrong(field->key, "a list", err);
	if (json_array_size(value) > field->limit)
		return too_long(field, err);
	json_array_foreach(value, i, item)
	{
		if (!is_item(field->kind, item))
			return wrong(field->key, "a list of what it must hold", err);
	}
	*slot = json_incref(value);
	return 0;
}

static int read_field(const struct field *field, json_t *value, void *to, struct ktstr_error *err)
{
	uint64_t number = 0;
	int r = 0;

	switch (field->kind) {
	case KIND_TEXT:
	case KIND_RAW:
	case KIND_ID:
		return read_text(field, value, to, err);
	case KIND_BUFFER:
		return read_buffer(field, value, to, err);
	case KIND_U64:
		return read_number(field->key, value, INT64_MAX, to, err);
	case KIND_U32:
		r = read_number(field->key, value, UINT32_MAX, &number, err);
		if (r == 0)
			*(uint32_t *)to = (uint32_t)number;
		return r;
	case KIND_FLAG:
		*(bool *)to = json_is_true(value);
		return json_is_boolean(value) ? 0 : wrong(field->key, "true or false", err);
	case KIND_STRINGS:
	case KIND_OBJECTS:
	case KIND_NAMED:
	case KIND_VALUES:
		return read_list(field, value, to, err);
	case KIND_OBJECT:
		if (!json_is_object(value))
			return wrong(field->key, "an object", err);
		*(json_t **)to = json_incref(value);
	}
	return r;
}

static int check_version(const json_t *object, struct ktstr_error *err)
{
	const char *type = json_string_value(json_object_get(object, "type"));
	const json_t *version = json_object_get(object, "version");

	if (!type || strcmp(type, "result") != 0)
		return wrong("type", "\"result\"", err);
	if (!json_is_integer(version) || json_integer_value(version) < 1)
		return wrong("version", "a version", err);
	if (json_integer_value(version) > RESULT_VERSION)
		return ktstr_error_set(err, -ENOTSUP,
				       "\"version\" %lld is newer than what this ktstr reads (%d); "
				       "use one at least as new as the one that wrote it",
				       (long long)json_integer_value(version), RESULT_VERSION);
	return 0;
}

static int read_verdict(const json_t *object, enum ktstr_verdict *ret, struct ktstr_error *err)
{
	const char *text = json_string_value(json_object_get(object, "verdict"));

	for (int v = KTSTR_PASS; text && v <= KTSTR_ERROR; v++) {
		if (!strcmp(text, ktstr_verdict_name((enum ktstr_verdict)v))) {
			*ret = (enum ktstr_verdict)v;
			return 0;
		}
	}
	return wrong("verdict", "a verdict", err);
}

static int read_seed(const json_t *object, uint64_t *ret, struct ktstr_error *err)
{
	const json_t *seed = json_object_get(object, "seed");
	const char *text = json_string_value(seed);

	if (!seed)
		return 0;
	if (!text || parse_u64(text, ret) < 0)
		return wrong("seed", "a text of decimal digits up to 2^64-1", err);
	return 0;
}

/* At least as many as there are. */
static int read_total(const json_t *object, const char *key, const json_t *list, uint64_t *ret,
		      struct ktstr_error *err)
{
	const json_t *total = json_object_get(object, key);

	*ret = json_array_size(list);
	if (!total)
		return 0;
	if (read_number(key, total, INT64_MAX, ret, err) < 0 || *ret < json_array_size(list))
		return wrong(key, "at least the length of its list", err);
	return 0;
}

static int read_required(const json_t *object, struct result *result, struct ktstr_error *err)
{
	static const struct field name = FIELD("test", KIND_ID, name, RESULT_ID_MAX);
	static const struct field end = FIELD("end", KIND_BUFFER, end, 0);
	int r = check_version(object, err);

	if (r == 0)
		r = read_text(&name, json_object_get(object, name.key), &result->name, err);
	if (r == 0)
		r = read_buffer(&end, json_object_get(object, end.key), result->end, err);
	if (r == 0)
		r = read_verdict(object, &result->verdict, err);
	if (r == 0)
		r = read_number("checks", json_object_get(object, "checks"), INT64_MAX,
				&result->nr_checks, err);
	return r;
}

static int read_fields(const json_t *object, struct result *result, struct ktstr_error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		json_t *value = json_object_get(object, fields[i].key);
		int r = value ? read_field(&fields[i], value, (char *)result + fields[i].offset,
					   err)
			      : 0;

		if (r < 0)
			return r;
	}
	if (!result->reasons)
		result->reasons = strdup("");
	return result->reasons ? 0 : ktstr_error_nomem(err);
}

static bool is_digest(const char *text)
{
	return !*text || (strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64);
}

static int read_all(const json_t *object, struct result *result, struct ktstr_error *err)
{
	int r = read_required(object, result, err);

	if (r == 0)
		r = read_fields(object, result, err);
	if (r == 0)
		r = read_seed(object, &result->seed, err);
	if (r == 0)
		r = read_total(object, "notes_total", result->notes, &result->nr_notes, err);
	if (r == 0)
		r = read_total(object, "values_total", result->values, &result->nr_values, err);
	if (r == 0 && !is_digest(result->events_sha256))
		r = wrong("events_sha256", "64 digits", err);
	if (r == 0 && result->end[strspn(result->end, "abcdefghijklmnopqrstuvwxyz0123456789-")])
		r = wrong("end", "a word in lower case", err);
	return r;
}

int result_from_json(const json_t *object, struct result *ret_result, struct ktstr_error *err)
{
	struct result result = { 0 };
	int r = json_is_object(object) ? read_all(object, &result, err)
				       : ktstr_error_set(err, -EINVAL, "not a JSON object");

	if (r < 0)
		result_deinit(&result);
	else
		*ret_result = result;
	return r;
}
