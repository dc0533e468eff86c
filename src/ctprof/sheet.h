/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * sheet.h - a table of texts that fits a width.
 *
 * Columns are as wide as their widest cell.  If all of them are too wide, the one with names is
 * narrowed down to name_min, its texts cut in the middle; then columns are dropped from the
 * right.  A cell is a piece of the sheet's text; nothing is copied twice.
 */
#ifndef KTSTR_CTPROF_SHEET_H
#define KTSTR_CTPROF_SHEET_H

#include <stdbool.h>

#include "base/strbuf.h"

enum { SHEET_COLUMNS = 40, SHEET_NAME_MIN = 18 };

enum sheet_tone { SHEET_PLAIN, SHEET_BOLD, SHEET_DIM, SHEET_WARN, SHEET_NR_TONES };

struct sheet_cell {
	size_t at; /* in the text; terminated */
	enum sheet_tone tone;
};

struct sheet {
	size_t nr_columns;
	size_t name; /* the column that is narrowed first */
	size_t name_min;
	bool left[SHEET_COLUMNS]; /* text, not numbers */
	unsigned int width;	  /* 0: any */
	bool colour;
	struct strbuf text;
	struct sheet_cell *cells; /* row by row */
	size_t nr_cells, cells_size;
	size_t nr_dropped; /* by sheet_print() */
};

#define _cleanup_sheet_ __attribute__((cleanup(sheet_deinit)))

void sheet_init(struct sheet *s);
void sheet_deinit(struct sheet *s);
/* The next cell; a row is full after nr_columns of them.  Lack of memory sticks in text.error. */
void sheet_add(struct sheet *s, enum sheet_tone tone, const char *text);
/* Appends all rows.  Return: 0, -ENOMEM, -E2BIG. */
int sheet_print(struct sheet *s, struct strbuf *out);
/* Appends @text as if it were a cell. */
void sheet_tone(const struct sheet *s, enum sheet_tone tone, const char *text, struct strbuf *out);
/* Appends @text, cut in its middle to @width columns, 0 for any. */
void sheet_fit(const char *text, size_t width, struct strbuf *out);

#endif
