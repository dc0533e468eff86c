/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* render.h - parts of a comparison's text. */
#ifndef KTSTR_CTPROF_RENDER_PARTS_H
#define KTSTR_CTPROF_RENDER_PARTS_H

#include <ktstr/ctprof_render.h>

#include "ctprof/sheet.h"

enum { RENDER_METRICS = 32, RENDER_TEXT_LIMIT = 256 << 20 };

struct render {
	const struct ktstr_ctprof_comparison *comparison;
	const struct ktstr_ctprof_text_opts *opts;
	struct strbuf *out;
	bool at_least, impossible, partial; /* marks that were used */
	size_t nr_dropped;		    /* columns of the last sheet */
	struct ktstr_error *err;
};

/* Which columns of a block are shown, and under what heading. */
struct render_metrics {
	int items[RENDER_METRICS];
	const char *heads[RENDER_METRICS];
	size_t nr;
};

/* Metrics asked for, or those of note somebody had.  Return: 0, -EINVAL. */
int render_choose(const struct render *r, const struct ktstr_ctprof_block *block,
		  struct render_metrics *ret_metrics) KTSTR_MUST_CHECK;
/* @by: of the names; paths need more room, if there is some to spare. */
void render_start(const struct render *r, enum ktstr_ctprof_group_by by, struct sheet *s);
/* Appends the sheet.  Return: 0, -ENOMEM, -E2BIG. */
int render_finish(struct render *r, struct sheet *s);
/* A name fit for a terminal. */
void render_name(const char *name, struct strbuf *out);
/* The number in full, for programs: a sum may be more than a double holds. */
void render_exactly(const struct ktstr_ctprof_value *v, struct strbuf *out);
/* "4 -> 6"; "4" if nothing changed, or of one side. */
void render_threads(const struct render *r, const struct ktstr_ctprof_group *g, struct strbuf *out);
/* "*", "!", "~" or "", remembered for the footnote. */
const char *render_mark(struct render *r, const struct ktstr_ctprof_cell *cell);
/* Is the group shown among the others?  Else it is listed apart. */
bool render_is_listed(const struct render *r, const struct ktstr_ctprof_group *g);
/* How many groups of the block are shown, after --limit and what has nothing to tell. */
size_t render_count(const struct render *r, const struct ktstr_ctprof_block *block);
/* Says so if neither a group nor the line of all threads would stand below the block's heading.
 * Return: was it said? */
bool render_said_nothing(struct render *r, const struct ktstr_ctprof_block *block);

void render_heading(struct render *r);
int render_table(struct render *r, const struct ktstr_ctprof_block *block);
int render_rows(struct render *r, const struct ktstr_ctprof_block *block);
/* Large changes of metrics that the table does not show. */
int render_others(struct render *r, const struct ktstr_ctprof_block *block);
/* The text of @out as the caller's, or its error; empties @out. */
int render_hand_over(struct strbuf *out, char **ret_text, struct ktstr_error *err);

#endif
