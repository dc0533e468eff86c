/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * ctprof_html.h - a comparison as one HTML page that needs nothing else.
 *
 * The page holds its style, its script and its data; it asks no network for anything, and its
 * Content-Security-Policy forbids it to.  It works opened as a file.  Without JavaScript its
 * heading and the first KTSTR_CTPROF_HTML_PLAIN values of each block can be read; with it the
 * table can be sorted and filtered, and there are bars and charts.
 *
 * Names are any bytes: what is not UTF-8, control characters and those that turn the direction of
 * writing are shown as \xNN and \uNNNN.  Nothing of a capture is ever markup.
 *
 * Data: <script type="application/json" id="data">, an object {"version":1,"mode":"compare"|
 * "show",...}, described in docs/format/ctprof-html.md.
 */
#ifndef KTSTR_CTPROF_HTML_H
#define KTSTR_CTPROF_HTML_H

#include <stdint.h>

#include <ktstr/api.h>
#include <ktstr/ctprof_compare.h>
#include <ktstr/error.h>

enum {
	KTSTR_CTPROF_HTML_PLAIN = 100,	/* values of a block shown without JavaScript */
	KTSTR_CTPROF_HTML_CHARTS = 60,	/* groups of a block that have curves */
	KTSTR_CTPROF_HTML_POINTS = 240, /* of a curve; longer series are thinned evenly */
	KTSTR_CTPROF_HTML_MAX_BYTES = 64 << 20
};

/* Zero fields mean the default. */
struct ktstr_ctprof_html_opts {
	const char
		*sort;	/* its first key is the metric shown first; NULL: all, of one run_time_ns */
	uint64_t limit; /* groups of a block, the first ones; 0: all */
	/* What the curves are made of: all moments, compared by these options but for metrics and
	 * sections.  NULL: no curves. */
	const struct ktstr_ctprof_series *series;
	const char *series_name; /* which it is, if there are several; else NULL */
	const struct ktstr_ctprof_compare_opts *compare;
};

/**
 * ktstr_ctprof_html_write() - save a comparison as a page.
 * @comparison:	borrowed for the call
 * @opts:	NULL: the default
 * @path:	file; whole or untouched afterwards
 * @err:	filled on failure; may be NULL
 *
 * A step of the series that cannot be compared (another boot) leaves a gap in the curves.
 *
 * Return: 0, -ENOMEM, -E2BIG (over KTSTR_CTPROF_HTML_MAX_BYTES: choose fewer groups or metrics),
 * -errno of writing.
 */
KTSTR_API int ktstr_ctprof_html_write(const struct ktstr_ctprof_comparison *comparison,
				      const struct ktstr_ctprof_html_opts *opts, const char *path,
				      struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
