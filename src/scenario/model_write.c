// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdio.h>
#include <string.h>

#include "scenario/model_read.h"

enum { DIGITS = 24 };

static json_t *write_texts(const struct model_field *field, const void *member)
{
	const char *const *items = member;
	json_t *array = json_array();

	for (uint32_t i = 0; i < field->max && items[i]; i++)
		if (json_array_append_new(array, json_string(items[i])) < 0) {
			json_decref(array);
			return NULL;
		}
	return array;
}

static json_t *write_time(uint64_t ns)
{
	char text[DIGITS];

	snprintf(text, sizeof(text), "%lluns", (unsigned long long)ns);
	return json_string(text);
}

static json_t *write_params(const struct ktstr_work *work)
{
	const struct ktstr_work_info *info = ktstr_work_info(work->type);
	json_t *object = json_object();

	for (int i = 0; info && i < KTSTR_WORK_PARAMS && info->params[i].name; i++)
		if (work->params[i] &&
		    json_object_set_new(object, info->params[i].name,
					json_integer((json_int_t)work->params[i])) < 0) {
			json_decref(object);
			return NULL;
		}
	return object;
}

static bool is_zero(const void *bytes, size_t size)
{
	const char *p = bytes;

	for (size_t i = 0; i < size; i++)
		if (p[i])
			return false;
	return true;
}

static json_t *write_rows(const struct model_field *field, const void *member)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < field->max; i++) {
		const void *row = field->kind == MODEL_POINTERS
					  ? ((const void *const *)member)[i]
					  : (const char *)member + i * field->rows->size;

		if (!row || is_zero(row, field->rows->size))
			break;
		if (json_array_append_new(array, model_write_row(field->rows, row)) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

/* A name that no table has is written as it is not: NULL. */
static json_t *write_known(const struct model_field *field, unsigned int value)
{
	const char *name = NULL;

	if (field->kind == MODEL_TYPE && ktstr_work_info((enum ktstr_work_type)value))
		name = ktstr_work_info((enum ktstr_work_type)value)->name;
	else if (field->kind == MODEL_OP && ktstr_step_op_info((enum ktstr_step_op_kind)value))
		name = ktstr_step_op_info((enum ktstr_step_op_kind)value)->name;
	else if (field->kind == MODEL_CHECK && ktstr_check_info((enum ktstr_check_id)value))
		name = ktstr_check_info((enum ktstr_check_id)value)->name;
	return name ? json_string(name) : NULL;
}

static json_t *write_field(const struct model_field *field, const void *row)
{
	const void *member = (const char *)row + field->offset;

	switch (field->kind) {
	case MODEL_TEXT:
		return json_string(*(const char *const *)member);
	case MODEL_TEXTS:
		return write_texts(field, member);
	case MODEL_U32:
		return json_integer(*(const uint32_t *)member);
	case MODEL_I32:
		return json_integer(*(const int32_t *)member);
	case MODEL_U64:
		return json_integer((json_int_t) * (const uint64_t *)member);
	case MODEL_BOOL:
		return json_boolean(*(const bool *)member);
	case MODEL_TIME:
		return write_time(*(const uint64_t *)member);
	case MODEL_PARAMS:
		return write_params(row);
	case MODEL_BOUND:
		return json_real(*(const double *)member);
	case MODEL_OBJECT:
		return model_write_row(field->rows, member);
	case MODEL_ROWS:
	case MODEL_POINTERS:
		return write_rows(field, member);
	case MODEL_TYPE:
	case MODEL_OP:
	case MODEL_CHECK:
		return write_known(field, *(const unsigned int *)member);
	case MODEL_NONE:
		break;
	}
	return NULL;
}

static size_t field_size(const struct model_field *field)
{
	switch (field->kind) {
	case MODEL_BOOL:
		return sizeof(bool);
	case MODEL_U32:
	case MODEL_I32:
	case MODEL_OP:
	case MODEL_CHECK:
		return sizeof(uint32_t);
	case MODEL_PARAMS:
		return KTSTR_WORK_PARAMS * sizeof(uint64_t);
	case MODEL_ROWS:
		return field->rows->size;
	default:
		return sizeof(uint64_t);
	}
}

/* A bound of 0 is one; the first row of a table tells the type of a work even if it is 0. */
static bool is_left_out(const struct model_field *field, const void *row)
{
	if (field->kind == MODEL_TYPE || field->kind == MODEL_BOUND)
		return false;
	if (field->kind == MODEL_OBJECT)
		return false;
	return is_zero((const char *)row + field->offset, field_size(field));
}

json_t *model_write_row(const struct model_table *table, const void *row)
{
	json_t *object = json_object();

	for (const struct model_field *f = table->fields; object && f->key; f++) {
		json_t *value;

		if (is_left_out(f, row))
			continue;
		value = write_field(f, row);
		if (f->kind == MODEL_OBJECT && json_object_size(value) == 0 && value) {
			json_decref(value);
			continue;
		}
		if (json_object_set_new(object, f->key, value) < 0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}
