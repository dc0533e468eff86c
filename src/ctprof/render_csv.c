// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "ctprof/compare.h"
#include "ctprof/render.h"

static void add_text(struct strbuf *out, const char *text)
{
	if (!text[strcspn(text, "\",\r\n")]) {
		strbuf_addstr(out, text);
		return;
	}
	strbuf_addch(out, '"');
	for (; *text; text++) {
		if (*text == '"')
			strbuf_addch(out, '"');
		strbuf_addch(out, *text);
	}
	strbuf_addch(out, '"');
}

static void add_name(struct strbuf *out, const char *name)
{
	struct strbuf clean = STRBUF_INIT;

	text_add_clean(&clean, name, strlen(name), TEXT_LONG_MAX);
	add_text(out, strbuf_str(&clean));
	if (clean.error)
		out->error = clean.error;
	strbuf_deinit(&clean);
}

static void add_number(struct strbuf *out, bool there, double number)
{
	strbuf_addch(out, ',');
	if (there)
		text_add_number(out, number);
}

/* A number, or the words people see where there is none. */
static void add_value(struct strbuf *out, const struct ktstr_ctprof_column *column,
		      const struct ktstr_ctprof_value *v)
{
	char text[256];

	if (!v->text && v->high != KTSTR_CTPROF_UNLIMITED &&
	    column->info->aggregate != KTSTR_AGGREGATE_SPREAD) {
		strbuf_addch(out, ',');
		if (v->there)
			render_exactly(v, out);
		return;
	}
	strbuf_addch(out, ',');
	if (v->there && v->text)
		add_text(out, v->text);
	else if (v->there)
		add_text(out, ktstr_ctprof_format_value(column, v, text, sizeof(text)));
}

static void add_had(struct strbuf *out, const struct ktstr_ctprof_value *v)
{
	if (v->of)
		strbuf_addf(out, ",%" PRIu32 ",%" PRIu32, v->have, v->of);
	else
		strbuf_addstr(out, ",,");
}

static void add_line(struct strbuf *out, const struct ktstr_ctprof_block *block,
		     const struct ktstr_ctprof_group *g, size_t i)
{
	static const char *const marks[] = { "", "at_least", "impossible" };
	const struct ktstr_ctprof_column *column = &block->columns[i];
	const struct ktstr_ctprof_cell *cell = &g->cells[i];

	strbuf_addf(out, "%s,", ktstr_ctprof_group_by_name(block->by));
	add_name(out, g->label);
	add_number(out, g->tid, g->tid);
	add_number(out, g->on[0], g->threads[0]);
	add_number(out, g->on[1], g->threads[1]);
	strbuf_addf(out, ",%s,%s", column->info->name, column->info->unit);
	add_value(out, column, &cell->sides[0]);
	add_value(out, column, &cell->sides[1]);
	strbuf_addch(out, ',');
	if (cell->between.there)
		render_exactly(&cell->between, out);
	add_number(out, cell->has_delta, cell->delta);
	add_number(out, cell->has_percent, cell->percent);
	add_number(out, cell->share > 0, cell->share);
	add_had(out, &cell->sides[0]);
	add_had(out, &cell->sides[1]);
	strbuf_addf(out, ",%s\r\n", marks[cell->mark]);
}

static void add_group(struct strbuf *out, const struct ktstr_ctprof_block *block,
		      const struct ktstr_ctprof_group *g)
{
	for (size_t i = 0; i < block->nr_columns; i++)
		if (g->cells[i].sides[0].there || g->cells[i].sides[1].there)
			add_line(out, block, g, i);
}

int render_hand_over(struct strbuf *out, char **ret_text, struct ktstr_error *err)
{
	char *text = out->error ? NULL : strbuf_take(out);
	int r = out->error;

	strbuf_deinit(out);
	if (r == 0 && !text)
		return ktstr_error_nomem(err);
	if (r < 0)
		return ktstr_error_set(err, r, "write a comparison: %s", strerror(-r));
	*ret_text = text;
	return 0;
}

int ktstr_ctprof_render_csv(const struct ktstr_ctprof_comparison *comparison, char **ret_text,
			    struct ktstr_error *err)
{
	struct strbuf out = STRBUF_INIT_LIMIT(RENDER_TEXT_LIMIT);

	strbuf_addstr(&out, "by,group,tid,threads_before,threads_after,metric,unit,before,after,"
			    "between,change,percent,share,have_before,of_before,have_after,"
			    "of_after,mark\r\n");
	for (size_t i = 0; i < comparison->nr_blocks; i++) {
		const struct ktstr_ctprof_block *b = &comparison->blocks[i];

		for (size_t j = 0; j < b->nr_groups; j++)
			add_group(&out, b, &b->groups[j]);
	}
	return render_hand_over(&out, ret_text, err);
}
