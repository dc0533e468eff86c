/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* model_read.h - rows of any table out of a document. */
#ifndef KTSTR_SCENARIO_MODEL_READ_H
#define KTSTR_SCENARIO_MODEL_READ_H

#include "scenario/model.h"
#include "scenario/model_table.h"

enum { MODEL_PATH = 160 };

struct model_reader {
	const struct model_source *source; /* may be NULL */
	struct model_arena *arena;
	struct ktstr_error *err;
	char path[MODEL_PATH]; /* of what is being read, "steps.0.works.1" */
};

/* @row is zero before; its names are those of @arena.  Return: as scenario_from_json(). */
int model_read_row(struct model_reader *reader, const struct model_table *table,
		   const json_t *value, void *row) KTSTR_MUST_CHECK;
/* An array, or a mapping if rows have names. */
int model_read_rows(struct model_reader *reader, const struct model_field *field,
		    const json_t *value, void *rows) KTSTR_MUST_CHECK;
/* Sets an error that begins with the place of @value.  Return: @code. */
int model_read_fail(struct model_reader *reader, int code, const json_t *value, const char *fmt,
		    ...) KTSTR_PRINTF(4, 5);

/* The document of a row.  Return: NULL for lack of memory, or a text that is not UTF-8. */
json_t *model_write_row(const struct model_table *table, const void *row);

#endif
