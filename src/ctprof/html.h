/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* html.h - the parts of a comparison's page. */
#ifndef KTSTR_CTPROF_HTML_PARTS_H
#define KTSTR_CTPROF_HTML_PARTS_H

#include <ktstr/ctprof_html.h>

#include "base/strbuf.h"

struct html {
	const struct ktstr_ctprof_comparison *comparison;
	struct ktstr_ctprof_html_opts opts;
	struct html_curves *curves; /* NULL: none */
};

/* Groups of a block that are on the page. */
size_t html_groups(const struct html *h, const struct ktstr_ctprof_block *block);

/* What was compared, as HTML. */
void html_add_heading(const struct html *h, struct strbuf *out);
/* The first values of each block, as HTML. */
void html_add_plain(const struct html *h, struct strbuf *out);
/* All values, as JSON. */
void html_add_data(const struct html *h, struct strbuf *out);
/* "before.ctprof.zst against after.ctprof.zst", as it is. */
void html_title(const struct html *h, struct strbuf *out);

/* Curves of the first groups of each block.  Return: 0, -ENOMEM. */
int html_curves_create(struct html *h, struct ktstr_error *err) KTSTR_MUST_CHECK;
void html_curves_destroy(struct html_curves *curves);
/* Appends {"METRIC":[point,...],...} of a group of a block of the comparison, null for gaps;
 * nothing and false if it has none.  @metric_of: the page's number of a column. */
bool html_add_curves(const struct html *h, size_t block, size_t group, struct strbuf *out);
/* Appends "times":[seconds since the first,...]. */
void html_add_times(const struct html *h, struct strbuf *out);

/* The page's number of a column: kinds and tables one after the other. */
unsigned int html_metric(const struct ktstr_ctprof_column *column);

#endif
