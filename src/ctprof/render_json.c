// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "ctprof/compare.h"
#include "ctprof/pull.h"
#include "ctprof/render.h"

/* Appends ","key":" , the comma only behind something. */
static void add_key(struct strbuf *out, const char *key)
{
	if (out->len && !strchr("{[", out->data[out->len - 1]))
		strbuf_addch(out, ',');
	if (key)
		strbuf_addf(out, "\"%s\":", key);
}

static void add_text(struct strbuf *out, const char *key, const char *text)
{
	if (!text)
		return;
	add_key(out, key);
	pull_add_bytes(out, text);
}

static void add_number(struct strbuf *out, const char *key, double number)
{
	add_key(out, key);
	text_add_number(out, number);
}

static void add_true(struct strbuf *out, const char *key, bool is)
{
	if (!is)
		return;
	add_key(out, key);
	strbuf_addstr(out, "true");
}

static void open_at(struct strbuf *out, const char *key, char bracket)
{
	add_key(out, key);
	strbuf_addch(out, bracket);
}

static void add_exactly(struct strbuf *out, const struct ktstr_ctprof_value *v)
{
	add_key(out, "value");
	render_exactly(v, out);
}

static void add_value(struct strbuf *out, const char *key, const struct ktstr_ctprof_column *column,
		      const struct ktstr_ctprof_value *v)
{
	if (!v->of)
		return;
	open_at(out, key, '{');
	if (v->there && v->high == KTSTR_CTPROF_UNLIMITED)
		add_text(out, "value", "max");
	else if (v->there && !(v->text && column->info->type == KTSTR_TYPE_CATEGORY))
		add_exactly(out, v);
	if (v->there && column->info->aggregate == KTSTR_AGGREGATE_RANGE && v->low != v->high) {
		add_number(out, "low", (double)v->low);
		add_number(out, "high", (double)v->high);
	}
	add_text(out, "text", v->there ? v->text : NULL);
	add_true(out, "mixed", v->there && v->mixed);
	add_number(out, "have", v->have);
	add_number(out, "of", v->of);
	strbuf_addch(out, '}');
}

static void add_mark(struct strbuf *out, const struct ktstr_ctprof_cell *cell)
{
	if (cell->mark == KTSTR_CTPROF_MARK_AT_LEAST && cell->has_delta)
		add_text(out, "mark", "at_least");
	if (cell->mark == KTSTR_CTPROF_MARK_IMPOSSIBLE) {
		add_text(out, "mark", "impossible");
		add_number(out, "went_back", cell->went_back);
	}
}

static void add_cell(struct strbuf *out, const struct ktstr_ctprof_comparison *c,
		     const struct ktstr_ctprof_column *column, const struct ktstr_ctprof_cell *cell)
{
	if (!cell->sides[0].there && !cell->sides[1].there && !cell->between.there)
		return;
	open_at(out, column->info->name, '{');
	add_value(out, c->nr_sides == 2 ? "before" : "now", column, &cell->sides[0]);
	if (c->nr_sides == 2) {
		add_value(out, "after", column, &cell->sides[1]);
		add_value(out, "between", column, &cell->between);
		if (cell->has_delta)
			add_number(out, "change", cell->delta);
		if (cell->has_percent)
			add_number(out, "percent", cell->percent);
		add_true(out, "differs", cell->differs);
		if (cell->share > 0)
			add_number(out, "share", cell->share);
		add_mark(out, cell);
	}
	strbuf_addch(out, '}');
}

static void add_pair(struct strbuf *out, const struct ktstr_ctprof_comparison *c,
		     const struct ktstr_ctprof_group *g)
{
	open_at(out, "threads", '[');
	for (unsigned int side = 0; side < c->nr_sides; side++)
		add_number(out, NULL, g->threads[side]);
	strbuf_addch(out, ']');
	if (c->one_boot) {
		add_number(out, "born", g->born);
		add_number(out, "ended", g->ended);
	}
	if (c->nr_sides == 2 && g->on[0] != g->on[1])
		add_text(out, "only", g->on[0] ? "before" : "after");
}

static void add_group(struct strbuf *out, const struct ktstr_ctprof_comparison *c,
		      const struct ktstr_ctprof_block *block, const struct ktstr_ctprof_group *g)
{
	open_at(out, NULL, '{');
	add_text(out, "group", g->label);
	if (block->by == KTSTR_CTPROF_BY_TASK) {
		add_number(out, "tgid", g->tgid);
		add_number(out, "tid", g->tid);
	}
	if (g->label_before) {
		add_text(out, "paired_with", g->label_before);
		add_number(out, "similarity", g->similarity);
		add_number(out, "choices", g->choices);
	}
	add_pair(out, c, g);
	add_number(out, "weight", g->weight);
	open_at(out, "metrics", '{');
	for (size_t i = 0; i < block->nr_columns; i++)
		add_cell(out, c, &block->columns[i], &g->cells[i]);
	strbuf_addstr(out, "}}");
}

static void add_block(struct strbuf *out, const struct ktstr_ctprof_comparison *c,
		      const struct ktstr_ctprof_block *block)
{
	open_at(out, NULL, '{');
	add_text(out, "by", ktstr_ctprof_group_by_name(block->by));
	add_true(out, "unpaired", block->unpaired);
	open_at(out, "units", '{');
	for (size_t i = 0; i < block->nr_columns; i++)
		if (*block->columns[i].info->unit)
			add_text(out, block->columns[i].info->name, block->columns[i].info->unit);
	strbuf_addch(out, '}');
	open_at(out, "groups", '[');
	for (size_t i = 0; i < block->nr_groups; i++)
		add_group(out, c, block, &block->groups[i]);
	strbuf_addstr(out, "]}");
}

static void add_side(struct strbuf *out, const struct ktstr_ctprof_comparison *c, unsigned int i)
{
	const struct ktstr_ctprof_side *side = &c->sides[i];

	open_at(out, NULL, '{');
	add_text(out, "name", side->name);
	add_key(out, "captured_at_unix_ns");
	strbuf_addf(out, "%" PRIu64, side->snapshot->captured_at_unix_ns);
	add_text(out, "kernel", side->snapshot->kernel);
	add_text(out, "hostname", side->snapshot->host.texts[KTSTR_CTPROF_HOST_TEXT_HOSTNAME]);
	add_text(out, "collector", side->snapshot->collector);
	add_number(out, "threads", (double)side->snapshot->nr_threads);
	if (side->since)
		add_number(out, "window_seconds", c->seconds[i]);
	strbuf_addch(out, '}');
}

int ktstr_ctprof_render_json(const struct ktstr_ctprof_comparison *comparison, char **ret_text,
			     struct ktstr_error *err)
{
	const struct ktstr_ctprof_comparison *c = comparison;
	struct strbuf out = STRBUF_INIT_LIMIT(RENDER_TEXT_LIMIT);

	strbuf_addstr(&out, "{\"type\":\"ktstr-ctprof-comparison\",\"version\":1");
	open_at(&out, "sides", '[');
	for (unsigned int i = 0; i < c->nr_sides; i++)
		add_side(&out, c, i);
	strbuf_addch(&out, ']');
	add_true(&out, "one_boot", c->one_boot);
	add_true(&out, "one_boot_guessed", c->one_boot && c->guessed);
	add_true(&out, "per_second", c->per_second);
	if (c->one_boot) {
		add_number(&out, "seconds", c->seconds[1]);
		add_number(&out, "born", c->born);
		add_number(&out, "ended", c->ended);
	}
	open_at(&out, "blocks", '[');
	for (size_t i = 0; i < c->nr_blocks; i++)
		add_block(&out, c, &c->blocks[i]);
	strbuf_addstr(&out, "]}\n");
	return render_hand_over(&out, ret_text, err);
}
