// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "scenario/model_read.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/near.h"
#include "base/parse.h"
#include "scenario/model_arena.h"

enum { HINT_BYTES = NEAR_WORD + 32, DIGITS = 24 };

int model_read_fail(struct model_reader *reader, int code, const json_t *value, const char *fmt,
		    ...)
{
	const char *place = NULL;
	va_list ap;
	char text[600];

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (reader->source && reader->source->place)
		place = reader->source->place(reader->source->arg, value);
	if (!place)
		place = reader->path;
	return ktstr_error_set(reader->err, code, "%s%s%s", place, *place ? ": " : "", text);
}

static size_t enter(struct model_reader *reader, const char *name)
{
	size_t len = strlen(reader->path);

	snprintf(reader->path + len, sizeof(reader->path) - len, "%s%s", len ? "." : "", name);
	return len;
}

static size_t enter_row(struct model_reader *reader, size_t index)
{
	char digits[DIGITS];

	snprintf(digits, sizeof(digits), "%zu", index);
	return enter(reader, digits);
}

static void leave(struct model_reader *reader, size_t len)
{
	reader->path[len] = '\0';
}

static int nomem(struct model_reader *reader)
{
	return ktstr_error_nomem(reader->err);
}

/* --- single values --------------------------------------------------------------------------- */

static bool is_clean(const char *text, bool lines)
{
	for (const char *p = text; *p; p++)
		if (((unsigned char)*p < ' ' || *p == 0x7f) &&
		    !(lines && isspace((unsigned char)*p)))
			return false;
	return true;
}

static int read_string(struct model_reader *reader, const json_t *value, bool lines,
		       const char **ret_text)
{
	const char *text = json_string_value(value);

	if (!text)
		return model_read_fail(reader, -EINVAL, value, "a text is expected here");
	if (strlen(text) > MODEL_TEXT_BYTES)
		return model_read_fail(reader, -E2BIG, value, "a text of more than %d bytes",
				       MODEL_TEXT_BYTES);
	if (!is_clean(text, lines))
		return model_read_fail(
			reader, -EINVAL, value,
			"a text of one line is expected, without control characters");
	*ret_text = model_arena_text(reader->arena, text);
	return *ret_text ? 0 : nomem(reader);
}

static int read_text(struct model_reader *reader, const struct model_field *field,
		     const json_t *value, void *row)
{
	const char **member = (const char **)((char *)row + field->offset);

	return read_string(reader, value, false, member);
}

static int read_texts(struct model_reader *reader, const struct model_field *field,
		      const json_t *value, void *row)
{
	const char **items = (const char **)((char *)row + field->offset);
	int r = 0;

	if (json_is_string(value))
		return read_string(reader, value, true, items);
	if (!json_is_array(value))
		return model_read_fail(reader, -EINVAL, value, "a list of texts is expected here");
	if (json_array_size(value) > field->max)
		return model_read_fail(reader, -E2BIG, value, "more than %u items in '%s'",
				       field->max, field->key);
	for (size_t i = 0; r == 0 && i < json_array_size(value); i++)
		r = read_string(reader, json_array_get(value, i), true, &items[i]);
	return r;
}

static int read_number(struct model_reader *reader, const json_t *value, int64_t lowest,
		       int64_t highest, int64_t *ret_number)
{
	const char *text = json_string_value(value);
	int64_t number;

	if (json_is_integer(value))
		number = json_integer_value(value);
	else if (!text || parse_i64(text, &number) < 0)
		return model_read_fail(reader, -EINVAL, value, "a whole number is expected here");
	if (number < lowest || number > highest)
		return model_read_fail(reader, -EINVAL, value, "%lld is not from %lld to %lld",
				       (long long)number, (long long)lowest, (long long)highest);
	*ret_number = number;
	return 0;
}

static int read_u32(struct model_reader *reader, const struct model_field *field,
		    const json_t *value, void *row)
{
	int64_t number;
	int r = read_number(reader, value, 0, UINT32_MAX, &number);

	if (r == 0)
		*(uint32_t *)((char *)row + field->offset) = (uint32_t)number;
	return r;
}

static int read_i32(struct model_reader *reader, const struct model_field *field,
		    const json_t *value, void *row)
{
	int64_t number;
	int r = read_number(reader, value, INT32_MIN, INT32_MAX, &number);

	if (r == 0)
		*(int32_t *)((char *)row + field->offset) = (int32_t)number;
	return r;
}

static int read_u64(struct model_reader *reader, const struct model_field *field,
		    const json_t *value, void *row)
{
	int64_t number;
	int r = read_number(reader, value, 0, INT64_MAX, &number);

	if (r == 0)
		*(uint64_t *)((char *)row + field->offset) = (uint64_t)number;
	return r;
}

static int read_bool(struct model_reader *reader, const struct model_field *field,
		     const json_t *value, void *row)
{
	const char *text = json_string_value(value);
	bool yes = json_is_true(value) || (text && !strcmp(text, "true"));

	if (!yes && !json_is_false(value) && !(text && !strcmp(text, "false")))
		return model_read_fail(reader, -EINVAL, value, "true or false is expected here");
	*(bool *)((char *)row + field->offset) = yes;
	return 0;
}

static int read_time(struct model_reader *reader, const struct model_field *field,
		     const json_t *value, void *row)
{
	const char *text = json_string_value(value);
	size_t len = text ? strlen(text) : 0;
	uint64_t ns;

	if (len == 0 || !isalpha((unsigned char)text[len - 1]) ||
	    parse_duration_ns(text, &ns) < 0 || ns > INT64_MAX)
		return model_read_fail(reader, -EINVAL, value,
				       "a time is expected here, such as '250ms' or '1.5s'");
	*(uint64_t *)((char *)row + field->offset) = ns;
	return 0;
}

/* --- names of tables ------------------------------------------------------------------------- */

static int read_known(struct model_reader *reader, const struct model_field *field,
		      const json_t *value, void *row)
{
	void *member = (char *)row + field->offset;
	const char *text = json_string_value(value);
	struct ktstr_error why;
	int r;

	if (!text)
		return model_read_fail(reader, -EINVAL, value, "a name is expected here");
	if (field->kind == MODEL_TYPE)
		r = work_type_find(text, member, &why);
	else if (field->kind == MODEL_OP)
		r = step_op_find(text, member, &why);
	else
		r = check_find(text, member, &why);
	return r < 0 ? model_read_fail(reader, r, value, "%s", why.text) : 0;
}

static int find_param(const struct ktstr_work_info *info, const char *key, struct near *near)
{
	for (int i = 0; i < KTSTR_WORK_PARAMS && info->params[i].name; i++) {
		if (!strcmp(info->params[i].name, key))
			return i;
		near_offer(near, info->params[i].name);
	}
	return -ENOENT;
}

static int read_param(struct model_reader *reader, const struct ktstr_work_info *info,
		      const char *key, const json_t *value, uint64_t *params)
{
	struct near near = near_start(key);
	int i = find_param(info, key, &near), r;
	const struct ktstr_work_param *param;
	char hint[HINT_BYTES];
	int64_t number;

	if (i < 0)
		return model_read_fail(reader, -EINVAL, value, "%s has no parameter '%s'%s",
				       info->name, key, near_hint(&near, hint, sizeof(hint)));
	param = &info->params[i];
	r = read_number(reader, value, (int64_t)param->lowest, (int64_t)param->highest, &number);
	if (r == 0 && number == 0 && param->fallback != 0)
		return model_read_fail(reader, -EINVAL, value,
				       "0 would mean the default, %llu; the least that can be "
				       "asked for is 1",
				       (unsigned long long)param->fallback);
	if (r == 0)
		params[i] = (uint64_t)number;
	return r;
}

static int read_params(struct model_reader *reader, const struct model_field *field,
		       const json_t *value, void *row)
{
	const struct ktstr_work *work = row;
	const struct ktstr_work_info *info = ktstr_work_info(work->type);
	const char *key;
	json_t *item;
	int r = 0;

	if (!json_is_object(value))
		return model_read_fail(reader, -EINVAL, value,
				       "parameters are a mapping, such as {%s: %llu}",
				       info->params[0].name ? info->params[0].name : "units",
				       (unsigned long long)info->params[0].fallback);
	json_object_foreach((json_t *)value, key, item)
	{
		size_t len = enter(reader, key);

		r = read_param(reader, info, key, item, (uint64_t *)((char *)row + field->offset));
		if (r < 0)
			break;
		leave(reader, len);
	}
	return r;
}

static int read_bound(struct model_reader *reader, const struct model_field *field,
		      const json_t *value, void *row)
{
	/* struct model_demand begins with its struct ktstr_demand. */
	const struct ktstr_demand *demand = row;
	double *bound = (double *)((char *)row + field->offset);
	struct ktstr_error why;
	int r = 0;

	if (!demand->check)
		return model_read_fail(reader, -EINVAL, value, "a bound without a check");
	if (json_is_number(value))
		*bound = json_number_value(value);
	else if (json_is_string(value))
		r = demand_parse_bound(demand->check, json_string_value(value), bound, &why);
	else
		return model_read_fail(reader, -EINVAL, value, "a number is expected here");
	return r < 0 ? model_read_fail(reader, r, value, "%s", why.text) : 0;
}

/* --- rows ------------------------------------------------------------------------------------ */

static int read_object(struct model_reader *reader, const struct model_field *field,
		       const json_t *value, void *row)
{
	return model_read_row(reader, field->rows, value, (char *)row + field->offset);
}

static int read_row_field(struct model_reader *reader, const struct model_field *field,
			  const json_t *value, void *row)
{
	return model_read_rows(reader, field, value, (char *)row + field->offset);
}

typedef int (*read_fn)(struct model_reader *reader, const struct model_field *field,
		       const json_t *value, void *row);

static int read_field(struct model_reader *reader, const struct model_field *field,
		      const json_t *value, void *row)
{
	static const read_fn readers[] = {
		[MODEL_TEXT] = read_text,
		[MODEL_TEXTS] = read_texts,
		[MODEL_U32] = read_u32,
		[MODEL_I32] = read_i32,
		[MODEL_U64] = read_u64,
		[MODEL_BOOL] = read_bool,
		[MODEL_TIME] = read_time,
		[MODEL_TYPE] = read_known,
		[MODEL_PARAMS] = read_params,
		[MODEL_OP] = read_known,
		[MODEL_CHECK] = read_known,
		[MODEL_BOUND] = read_bound,
		[MODEL_OBJECT] = read_object,
		[MODEL_ROWS] = read_row_field,
		[MODEL_POINTERS] = read_row_field,
	};
	size_t len = enter(reader, field->key);
	int r = readers[field->kind](reader, field, value, row);

	if (r == 0)
		leave(reader, len);
	return r;
}

static const struct model_field *find_field(const struct model_table *table, const char *key,
					    struct near *near)
{
	for (const struct model_field *f = table->fields; f->key; f++) {
		if (!strcmp(f->key, key))
			return f;
		near_offer(near, f->key);
	}
	return NULL;
}

/* What is read in the light of other fields of its row. */
static bool is_late(const struct model_field *field)
{
	return field->kind == MODEL_PARAMS || field->kind == MODEL_BOUND;
}

static int read_fields(struct model_reader *reader, const struct model_table *table,
		       const json_t *object, void *row)
{
	const struct model_field *field;
	char hint[HINT_BYTES];
	const char *key;
	json_t *value;
	int r = 0;

	json_object_foreach((json_t *)object, key, value)
	{
		struct near near = near_start(key);

		field = find_field(table, key, &near);
		if (!field)
			return model_read_fail(reader, -EINVAL, value, "%s has no '%s'%s",
					       table->noun, key,
					       near_hint(&near, hint, sizeof(hint)));
		if (!is_late(field))
			r = read_field(reader, field, value, row);
		if (r < 0)
			return r;
	}
	for (field = table->fields; r == 0 && field->key; field++)
		if (is_late(field) && (value = json_object_get(object, field->key)))
			r = read_field(reader, field, value, row);
	return r;
}

static int read_shorthand(struct model_reader *reader, const struct model_table *table,
			  const json_t *value, void *row)
{
	const struct row_memory memory = { model_arena_alloc, reader->arena };
	struct near near = near_start("");
	struct ktstr_error why;
	int r;

	if (table->from_text) {
		r = table->from_text(json_string_value(value), &memory, row, &why);
		return r < 0 ? model_read_fail(reader, r, value, "%s", why.text) : 0;
	}
	if (table->named && !*json_string_value(value))
		return 0;
	if (!table->shorthand)
		return model_read_fail(reader, -EINVAL, value, "%s is a mapping, not a text",
				       table->noun);
	return read_field(reader, find_field(table, table->shorthand, &near), value, row);
}

static bool has_required(const struct model_table *table, const json_t *value)
{
	return !table->required || !json_is_object(value) ||
	       json_object_get(value, table->required) != NULL;
}

int model_read_row(struct model_reader *reader, const struct model_table *table,
		   const json_t *value, void *row)
{
	if (json_is_string(value) && (table->from_text || table->shorthand))
		return read_shorthand(reader, table, value, row);
	if (!json_is_object(value))
		return model_read_fail(reader, -EINVAL, value, "%s is a mapping", table->noun);
	if (!has_required(table, value))
		return model_read_fail(reader, -EINVAL, value, "%s needs '%s'", table->noun,
				       table->required);
	return read_fields(reader, table, value, row);
}

static int read_named(struct model_reader *reader, const struct model_table *table,
		      const char *name, const json_t *value, void *row)
{
	struct near near = near_start("");
	const struct model_field *field = find_field(table, table->named, &near);

	if (json_object_get(value, table->named))
		return model_read_fail(reader, -EINVAL, value, "'%s' has its name twice", name);
	if (!is_clean(name, false) || !*name)
		return model_read_fail(reader, -EINVAL, value, "this is no name");
	*(const char **)((char *)row + field->offset) = model_arena_text(reader->arena, name);
	if (!*(const char **)((char *)row + field->offset))
		return nomem(reader);
	if (json_is_string(value))
		return read_shorthand(reader, table, value, row);
	if (!json_is_object(value))
		return model_read_fail(reader, -EINVAL, value, "%s is a mapping", table->noun);
	return read_fields(reader, table, value, row);
}

static bool is_empty(const struct model_table *table, const void *row)
{
	const char *p = row;

	for (size_t i = 0; i < table->size; i++)
		if (p[i])
			return false;
	return true;
}

static void *row_at(struct model_reader *reader, const struct model_field *field, void *rows,
		    size_t index)
{
	void **pointers = rows;

	if (field->kind != MODEL_POINTERS)
		return (char *)rows + index * field->rows->size;
	pointers[index] = model_arena_alloc(reader->arena, field->rows->size);
	return pointers[index];
}

/* @name: the key of a mapping, NULL in a list. */
static int read_item(struct model_reader *reader, const struct model_field *field, const char *name,
		     const json_t *value, void *row)
{
	int r;

	if (!row)
		return nomem(reader);
	if (name)
		r = read_named(reader, field->rows, name, value, row);
	else
		r = model_read_row(reader, field->rows, value, row);
	if (r == 0 && is_empty(field->rows, row))
		r = model_read_fail(reader, -EINVAL, value, "an empty row in '%s'", field->key);
	return r;
}

int model_read_rows(struct model_reader *reader, const struct model_field *field,
		    const json_t *value, void *rows)
{
	bool named = json_is_object(value) && field->rows->named;
	size_t nr = named ? json_object_size(value) : json_array_size(value);
	void *iter = named ? json_object_iter((json_t *)value) : NULL;
	int r = 0;

	if (!named && !json_is_array(value))
		return model_read_fail(reader, -EINVAL, value, "%s is expected here",
				       field->rows->named ? "a list, or a mapping of names"
							  : "a list");
	if (nr > field->max)
		return model_read_fail(reader, -E2BIG, value,
				       "%zu rows in '%s', at most %u are read", nr, field->key,
				       field->max);
	for (size_t i = 0; r == 0 && i < nr; i++) {
		size_t len = enter_row(reader, i);

		r = read_item(reader, field, named ? json_object_iter_key(iter) : NULL,
			      named ? json_object_iter_value(iter) : json_array_get(value, i),
			      row_at(reader, field, rows, i));
		iter = named ? json_object_iter_next((json_t *)value, iter) : NULL;
		if (r == 0)
			leave(reader, len);
	}
	return r;
}
