/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * model_table.h - which key of a document is which field of which struct, in one place for both ways.
 *
 * A field that is zero is left out of a document.  Rows of an array may be written as a mapping from
 * their names; a row may then be a text alone, which stands for the field of its table that is short.
 */
#ifndef KTSTR_SCENARIO_MODEL_TABLE_H
#define KTSTR_SCENARIO_MODEL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scenario/row_text.h"
#include <ktstr/error.h>

enum { MODEL_TEXT_BYTES = 4096, MODEL_FIELDS = 16 };

enum model_kind {
	MODEL_NONE,
	MODEL_TEXT,  /* const char * */
	MODEL_TEXTS, /* array of them, .max */
	MODEL_U32,   /* numbers: of JSON, or their digits as text */
	MODEL_I32,
	MODEL_U64,
	MODEL_BOOL,    /* of JSON, or "true" or "false" */
	MODEL_TIME,    /* uint64_t of ns; "250ms" */
	MODEL_TYPE,    /* enum ktstr_work_type */
	MODEL_PARAMS,  /* of a work's type, by their names */
	MODEL_OP,      /* enum ktstr_step_op_kind */
	MODEL_CHECK,   /* enum ktstr_check_id */
	MODEL_BOUND,   /* double; a number, or a text in the check's unit */
	MODEL_OBJECT,  /* a struct within: .rows */
	MODEL_ROWS,    /* array of structs, .max, .rows */
	MODEL_POINTERS /* array of pointers to structs, .max, .rows */
};

struct model_table;

struct model_field {
	const char *key;
	enum model_kind kind;
	uint32_t max;
	size_t offset;
	const struct model_table *rows;
};

struct model_table {
	const char *noun; /* "a work" */
	size_t size;
	const char *required;  /* key that a row must have; NULL: none */
	const char *named;     /* key that a mapping's keys are, NULL: it is no mapping of names */
	const char *shorthand; /* key that a row's text alone is */
	/* Or: reads a row that is a text.  @ret_row is zero before. */
	int (*from_text)(const char *text, const struct row_memory *memory, void *ret_row,
			 struct ktstr_error *err);
	struct model_field fields[MODEL_FIELDS];
};

extern const struct model_table model_scenario_table, model_scheduler_table, model_demand_table,
	model_layered_demand_table;

#endif
