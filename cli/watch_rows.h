/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * watch_rows.h - the rows of `ktstr ctprof watch`: chosen, sorted, and as lines of fixed columns.
 *
 * A column is seven wide, so six of them, ids and a name of 16 fit in 80; what does not fit is
 * left out from the right.  Rows are sorted by what is shown, so a difference nobody can see moves
 * nothing, and rows that show the same keep their order.
 */
#ifndef KTSTR_CLI_WATCH_ROWS_H
#define KTSTR_CLI_WATCH_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include <ktstr/ctprof_movers.h>

/* Of a line: columns, and bytes with four of UTF-8 in each. */
enum { WATCH_CELL = 32, WATCH_FILTER = 64, WATCH_WIDTH = 511, WATCH_LINE = 2048 };

struct watch_view {
	enum ktstr_ctprof_movers_by by;
	unsigned int metrics[KTSTR_CTPROF_MOVERS_METRICS];
	size_t nr_metrics;
	size_t sort; /* index into metrics */
	bool ascending;
	char filter[WATCH_FILTER]; /* part of a name, or an id; "": all */
};

struct watch_row {
	const struct ktstr_ctprof_mover *mover;
	double key;
	bool present;
};

/* What one metric is called in a heading of six characters. */
const char *watch_label(unsigned int metric, char *buf);
/* Per second for counters: percent of a CPU for times; "-" if absent. */
const char *watch_cell(unsigned int metric, const struct ktstr_ctprof_mover_cell *cell,
		       double seconds, char *buf);
/* "process", ...; NULL: no such grouping. */
const char *watch_by_name(unsigned int by);

/* The rows the filter lets pass, sorted; the caller frees.  NULL: no memory. */
struct watch_row *watch_sort(const struct watch_view *view,
			     const struct ktstr_ctprof_movers *movers, double seconds,
			     size_t *ret_nr);

/* Lines without a newline, at most @width columns, WATCH_WIDTH in any case; @buf holds WATCH_LINE
 * bytes and is returned. */
const char *watch_heading(const struct watch_view *view, size_t width, char *buf);
const char *watch_line(const struct watch_view *view, const struct ktstr_ctprof_mover *mover,
		       double seconds, size_t width, char *buf);

/* The row as an object: rates per second, absent values left out. */
json_t *watch_row_json(const struct watch_view *view, const struct ktstr_ctprof_mover *mover,
		       double seconds);

#endif
