// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "check/judge_fields.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void records_damage(struct records *r, size_t index, const char *kind, const char *fmt, ...)
{
	char what[160];
	va_list ap;

	if (r->damage[0])
		return;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	snprintf(r->damage, sizeof(r->damage), "record %zu (%s): %s", index + 1, kind, what);
}

static bool read_number(const json_t *value, uint64_t *ret)
{
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*ret = (uint64_t)json_integer_value(value);
	return true;
}

static bool read_cpus(const json_t *value, struct cpuset *ret)
{
	return json_is_string(value) && cpuset_parse(json_string_value(value), ret) == 0;
}

static bool read_reading(const json_t *value, struct reading *ret)
{
	*ret = (struct reading){ 0 };
	if (!value)
		return true;
	ret->known = read_number(value, &ret->value);
	return ret->known;
}

static bool read_field(const json_t *value, enum field_type type, void *ret)
{
	switch (type) {
	case FIELD_U64:
		return read_number(value, ret);
	case FIELD_I64:
		*(int64_t *)ret = json_integer_value(value);
		return json_is_integer(value);
	case FIELD_BOOL:
		*(bool *)ret = json_is_true(value);
		return json_is_boolean(value);
	case FIELD_TEXT:
		*(const char **)ret = json_string_value(value);
		return json_is_string(value);
	case FIELD_SOME_TEXT:
		*(const char **)ret = json_string_value(value);
		return !value || json_is_string(value);
	case FIELD_CPUS:
		return read_cpus(value, ret);
	case FIELD_READING:
		return read_reading(value, ret);
	}
	return false;
}

static const char *kind_of(const json_t *object)
{
	const char *kind = json_string_value(json_object_get(object, "kind"));

	return kind ? kind : "?";
}

bool fields_read(struct records *r, const json_t *object, size_t index, const struct field *fields,
		 void *ret_struct)
{
	for (const struct field *field = fields; field->key; field++) {
		const json_t *value = json_object_get(object, field->key);

		if (read_field(value, field->type, (char *)ret_struct + field->offset))
			continue;
		records_damage(r, index, kind_of(object), "'%s' is %s", field->key,
			       value ? "not of the form it must have" : "missing");
		return false;
	}
	return true;
}

int fields_word(struct records *r, const json_t *object, size_t index, const char *key,
		const char *const *words)
{
	const char *text = json_string_value(json_object_get(object, key));

	for (int i = 0; text && words[i]; i++)
		if (!strcmp(text, words[i]))
			return i;
	records_damage(r, index, kind_of(object), "'%s' is %s", key,
		       text ? "an unknown word" : "missing");
	return -1;
}

static const struct field holder_fields[] = {
	FIELD(FIELD_TEXT, rec_holder, who),
	FIELD(FIELD_U64, rec_holder, ns),
	{ 0 },
};

bool holders_read(struct records *r, const json_t *object, size_t index,
		  const struct holders *holders)
{
	const json_t *array = json_object_get(object, holders->key);
	json_t *holder;
	size_t i;

	*holders->nr = 0;
	if (!json_is_array(array) || json_array_size(array) > holders->limit) {
		records_damage(r, index, kind_of(object), "'%s' is missing or too long",
			       holders->key);
		return false;
	}
	json_array_foreach(array, i, holder)
	{
		if (!fields_read(r, holder, index, holder_fields, &holders->to[i]))
			return false;
		++*holders->nr;
	}
	return true;
}
