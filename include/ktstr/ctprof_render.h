/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * ctprof_render.h - a comparison as a table for people, as JSON and as CSV.
 *
 * Table: one line per group, one column per metric; of one_boot what happened in between (with a
 * sign), else the later side and its change in percent.  Rows: one line per group and metric, with
 * both sides.  Behind a number,
 *	*	threads ended: it is at least so much
 *	!	a counter went back, as after an exec: those threads are left out
 *	~	not all members had the metric
 * "-" is absent.  Groups that are on one side only, and cannot be compared, are listed apart.
 */
#ifndef KTSTR_CTPROF_RENDER_H
#define KTSTR_CTPROF_RENDER_H

#include <ktstr/ctprof_compare.h>

enum ktstr_ctprof_layout {
	KTSTR_CTPROF_LAYOUT_AUTO, /* table of one side and of one_boot, else rows */
	KTSTR_CTPROF_LAYOUT_TABLE,
	KTSTR_CTPROF_LAYOUT_ROWS
};

/* Zero fields mean the default. */
struct ktstr_ctprof_text_opts {
	enum ktstr_ctprof_layout layout;
	unsigned int width; /* of the terminal; 0: any */
	bool colour;	    /* with terminal codes */
	uint64_t limit;	    /* groups of a block; 0: all */
	const char
		*metrics; /* columns of a table, rows of rows, in this order; NULL: those of note */
	/* Of rows: "group,threads,metric,before,after,between,change,percent,share,per_second,had";
	 * NULL: what fits the comparison. */
	const char *columns;
};

/**
 * ktstr_ctprof_render_text() - what changed, for people.
 * @comparison:	sorted as it is to be shown
 * @opts:	NULL: the default
 * @ret_text:	the caller's to free; whole lines
 * @err:	filled on failure; may be NULL
 *
 * Metrics of @opts->metrics a block does not have are left out of it; a block of which nothing is to
 * be told is a line that says so.  Names are shown as UTF-8 if the caller's LC_CTYPE is
 * (setlocale()); control characters, bytes that are no UTF-8 and what has no width or turns writing
 * are \xNN.
 *
 * Return: 0, -EINVAL (unknown metric or column), -ENOMEM, -E2BIG (over 256 MiB of text).
 */
KTSTR_API int ktstr_ctprof_render_text(const struct ktstr_ctprof_comparison *comparison,
				       const struct ktstr_ctprof_text_opts *opts, char **ret_text,
				       struct ktstr_error *err) KTSTR_MUST_CHECK;

/**
 * ktstr_ctprof_render_json() - a comparison for programs.
 * @comparison:	any
 * @ret_text:	the caller's to free; one line with one object; docs/format/ctprof-compare.md
 * @err:	filled on failure; may be NULL
 *
 * Everything is in it, in full precision; what is absent is left out.
 *
 * Return: 0, -ENOMEM, -E2BIG (over 256 MiB of text).
 */
KTSTR_API int ktstr_ctprof_render_json(const struct ktstr_ctprof_comparison *comparison,
				       char **ret_text, struct ktstr_error *err) KTSTR_MUST_CHECK;

/**
 * ktstr_ctprof_render_csv() - a comparison for spreadsheets.
 * @comparison:	any
 * @ret_text:	the caller's to free; RFC 4180: a heading, and a line per group and metric that
 *		somebody had; empty where absent
 * @err:	filled on failure; may be NULL
 *
 * Return: 0, -ENOMEM, -E2BIG (over 256 MiB of text).
 */
KTSTR_API int ktstr_ctprof_render_csv(const struct ktstr_ctprof_comparison *comparison,
				      char **ret_text, struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
