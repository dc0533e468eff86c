/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* ctprof_view.h - options that compare and show have in common, and what they print. */
#ifndef KTSTR_CLI_CTPROF_VIEW_H
#define KTSTR_CLI_CTPROF_VIEW_H

#include <ktstr/ctprof_compare.h>
#include <ktstr/ctprof_render.h>
#include <ktstr/options.h>

enum { CTPROF_VIEW_OPTIONS = 16 };

/* As the options were given. */
struct ctprof_view {
	const char *group_by, *sections, *layout, *color, *html;
	const char *default_group_by;
	uint64_t limit; /* UINT64_MAX: what fits a screen */
	bool wide, json, csv;
	struct ktstr_option_list flatten;
	struct ktstr_ctprof_compare_opts compare;
	struct ktstr_ctprof_text_opts text;
	struct ktstr_option options[CTPROF_VIEW_OPTIONS];
	size_t nr_options;
};

/* Fills the table of options, whose targets are in @v. */
void ctprof_view_init(struct ctprof_view *v, const char *group_by);
/* Turns words into numbers after the options were parsed.  Return: -1 to go on, else an exit
 * code. */
int ctprof_view_settle(struct ctprof_view *v);
/* Groups to show; 0: all. */
uint64_t ctprof_view_limit(const struct ctprof_view *v, const struct ktstr_ctprof_comparison *c);
/* Prints as text, JSON or CSV.  Return: an exit code. */
int ctprof_view_print(const struct ctprof_view *v, const struct ktstr_ctprof_comparison *c);

/* Saves the page of --html; @series: what its curves are made of, NULL for none; @name says which
 * side that is, if there are several.  Return: an exit code. */
int ctprof_view_html(const struct ctprof_view *v, const struct ktstr_ctprof_comparison *c,
		     const struct ktstr_ctprof_series *series, const char *name);

#endif
