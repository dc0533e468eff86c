// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/display.h"
#include "base/text.h"
#include "ctprof/compare.h"
#include "ctprof/render.h"

enum { APART_SHOWN = 8, NAME_MAX_BYTES = 512, PATH_MIN = 32, MORE_BYTES = 14 };

/* What is shown unless something else is asked for, the most telling first. */
static const struct {
	const char *name, *head;
} notable[] = {
	{ "run_time_ns", "RUN" },	{ "wait_time_ns", "WAIT" },
	{ "voluntary_csw", "SWITCH" },	{ "nonvoluntary_csw", "FORCED" },
	{ "nr_migrations", "MIGR" },	{ "minflt", "FAULT" },
	{ "write_bytes", "WRITE" },	{ "read_bytes", "READ" },
	{ "allocated_bytes", "ALLOC" }, { "usage_us", "CG-CPU" },
	{ "throttled_us", "THROTTL" },	{ "memory_current_bytes", "MEMORY" },
	{ "block_sum_ns", "BLOCK" },
};

void render_name(const char *name, struct strbuf *out)
{
	display_add(out, name, NAME_MAX_BYTES);
}

void render_exactly(const struct ktstr_ctprof_value *v, struct strbuf *out)
{
	if (v->low == v->high && (double)v->low == v->number)
		strbuf_addf(out, "%" PRId64, v->low);
	else
		text_add_number(out, v->number);
}

void render_start(const struct render *r, enum ktstr_ctprof_group_by by, struct sheet *s)
{
	sheet_init(s);
	if (by == KTSTR_CTPROF_BY_CGROUP)
		s->name_min = PATH_MIN;
	s->width = r->opts->width;
	s->colour = r->opts->colour;
}

int render_finish(struct render *r, struct sheet *s)
{
	int result = sheet_print(s, r->out);

	r->nr_dropped = s->nr_dropped;
	if (result == 0 && s->nr_dropped && (r->opts->metrics || r->opts->columns))
		strbuf_addf(r->out, "%zu more columns; --wide shows them\n", s->nr_dropped);
	return result;
}

static bool anybody_has(const struct render *r, const struct ktstr_ctprof_block *block,
			size_t column)
{
	for (size_t i = 0; i < block->nr_groups; i++)
		for (unsigned int side = 0; side < r->comparison->nr_sides; side++)
			if (block->groups[i].cells[column].sides[side].there)
				return true;
	return false;
}

static int choose_listed(const struct render *r, const struct ktstr_ctprof_block *block,
			 struct render_metrics *m)
{
	for (const char *at = r->opts->metrics; *at;) {
		size_t len = strcspn(at, ",");

		if (!columns_known(at, len))
			return columns_unknown(at, len, r->err);
		for (size_t i = 0; i < block->nr_columns; i++) {
			if (!column_named(&block->columns[i], at, len))
				continue;
			if (m->nr == RENDER_METRICS)
				return ktstr_error_set(r->err, -EINVAL, "more than %d metrics",
						       RENDER_METRICS);
			m->heads[m->nr] = block->columns[i].info->name;
			m->items[m->nr++] = (int)i;
			break;
		}
		at += len + (at[len] == ',');
	}
	return 0;
}

int render_choose(const struct render *r, const struct ktstr_ctprof_block *block,
		  struct render_metrics *ret_metrics)
{
	struct render_metrics m = { .nr = 0 };

	if (r->opts->metrics) {
		int result = choose_listed(r, block, &m);

		if (result < 0)
			return result;
		*ret_metrics = m;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(notable); i++) {
		int column = ktstr_ctprof_column_find(block, notable[i].name);

		if (column < 0 || !anybody_has(r, block, (size_t)column))
			continue;
		m.heads[m.nr] = notable[i].head;
		m.items[m.nr++] = column;
	}
	/* Nothing of note was asked for: then what there is. */
	for (size_t i = 0; !m.nr && i < block->nr_columns && i < RENDER_METRICS; i++) {
		m.heads[i] = block->columns[i].info->name;
		m.items[i] = (int)i;
		if (i + 1 == block->nr_columns || i + 1 == RENDER_METRICS)
			m.nr = i + 1;
	}
	*ret_metrics = m;
	return 0;
}

void render_threads(const struct render *r, const struct ktstr_ctprof_group *g, struct strbuf *out)
{
	if (r->comparison->nr_sides == 1 || g->threads[0] == g->threads[1])
		strbuf_addf(out, "%" PRIu32, g->threads[0]);
	else
		strbuf_addf(out, "%" PRIu32 "->%" PRIu32, g->threads[0], g->threads[1]);
}

static bool is_partial(const struct ktstr_ctprof_value *v)
{
	return v->there && v->have < v->of;
}

const char *render_mark(struct render *r, const struct ktstr_ctprof_cell *cell)
{
	if (cell->mark == KTSTR_CTPROF_MARK_IMPOSSIBLE) {
		r->impossible = true;
		return "!";
	}
	if (is_partial(ktstr_ctprof_cell_main(r->comparison, cell))) {
		r->partial = true;
		return "~";
	}
	if (cell->mark == KTSTR_CTPROF_MARK_AT_LEAST && cell->has_delta) {
		r->at_least = true;
		return "*";
	}
	return "";
}

bool render_is_listed(const struct render *r, const struct ktstr_ctprof_group *g)
{
	if (r->comparison->nr_sides == 1)
		return true;
	return r->comparison->one_boot ? g->on[1] : g->on[0] && g->on[1];
}

static bool has_something(const struct render *r, const struct ktstr_ctprof_group *g)
{
	return r->comparison->nr_sides == 1 || g->weight > 0;
}

size_t render_count(const struct render *r, const struct ktstr_ctprof_block *block)
{
	size_t shown = 0;

	for (size_t i = 0; i < block->nr_groups; i++) {
		if (r->opts->limit && shown == r->opts->limit)
			break;
		shown += render_is_listed(r, &block->groups[i]) &&
			 (!r->opts->limit || has_something(r, &block->groups[i]));
	}
	return shown;
}

bool render_said_nothing(struct render *r, const struct ktstr_ctprof_block *block)
{
	bool has_all = block->by != KTSTR_CTPROF_BY_TASK && block->by != KTSTR_CTPROF_BY_MACHINE &&
		       block->nr_groups > 1;

	if (render_count(r, block) ||
	    (has_all && has_something(r, &r->comparison->blocks[0].groups[0])))
		return false;
	strbuf_addstr(r->out, r->comparison->nr_sides == 1 ? "There are no threads.\n"
							   : "Nothing changed.\n");
	r->nr_dropped = 0;
	return true;
}

/* " (4, ran 1.2s)" */
static void add_size(const struct render *r, const struct ktstr_ctprof_block *block,
		     const struct ktstr_ctprof_group *g, unsigned int side, struct strbuf *line)
{
	int column = ktstr_ctprof_column_find(block, "run_time_ns");
	const struct ktstr_ctprof_value *ran = column < 0 ? NULL : &g->cells[column].sides[side];
	bool tells = ran && ran->there && !r->comparison->one_boot;
	char number[KTSTR_CTPROF_NUMBER_BYTES];

	if (g->threads[side] == 1 && !tells)
		return;
	strbuf_addf(line, " (%" PRIu32, g->threads[side]);
	if (tells)
		strbuf_addf(line, ", ran %s%s",
			    ktstr_ctprof_format_number("ns", ran->number, false, number),
			    r->comparison->per_second ? "/s" : "");
	strbuf_addch(line, ')');
}

/* Names of groups on one side only, as many as one line holds. */
struct apart {
	struct strbuf line, name, size;
	size_t width; /* of the line; 0: as long as it gets */
	size_t nr, shown;
	bool full;
};

/* The first is cut if need be, so that there is one. */
static void add_item(struct apart *a)
{
	size_t room = a->width > MORE_BYTES ? a->width - MORE_BYTES : 0;
	size_t taken = display_width(strbuf_str(&a->line)) + strlen(", ") +
		       display_width(strbuf_str(&a->size));
	size_t left = room > taken ? room - taken : 0;

	if (a->width && a->shown && display_width(strbuf_str(&a->name)) > left) {
		a->full = true;
		return;
	}
	strbuf_addstr(&a->line, a->shown++ ? ", " : " ");
	sheet_fit(strbuf_str(&a->name), a->width ? left : 0, &a->line);
	strbuf_addstr(&a->line, strbuf_str(&a->size));
}

static void collect_apart(const struct render *r, const struct ktstr_ctprof_block *block,
			  unsigned int side, struct apart *a)
{
	for (size_t i = 0; i < block->nr_groups; i++) {
		const struct ktstr_ctprof_group *g = &block->groups[i];

		if (render_is_listed(r, g) || !g->on[side])
			continue;
		a->nr++;
		a->full = a->full || (r->opts->limit && a->shown == APART_SHOWN);
		if (a->full)
			continue;
		strbuf_clear(&a->name);
		strbuf_clear(&a->size);
		render_name(g->label, &a->name);
		add_size(r, block, g, side, &a->size);
		add_item(a);
	}
}

static void add_apart(struct render *r, const struct ktstr_ctprof_block *block, unsigned int side,
		      const char *what)
{
	struct apart a = { .line = STRBUF_INIT, .name = STRBUF_INIT, .size = STRBUF_INIT };
	struct sheet tone = { .colour = r->opts->colour };

	if (r->opts->limit && r->opts->width > strlen(what))
		a.width = r->opts->width - strlen(what);
	collect_apart(r, block, side, &a);
	if (a.nr) {
		sheet_tone(&tone, SHEET_BOLD, what, r->out);
		strbuf_addstr(r->out, strbuf_str(&a.line));
		if (a.nr > a.shown)
			strbuf_addf(r->out, ", %zu more", a.nr - a.shown);
		strbuf_addch(r->out, '\n');
	}
	if (a.line.error || a.name.error || a.size.error)
		r->out->error = -ENOMEM;
	strbuf_deinit(&a.line);
	strbuf_deinit(&a.name);
	strbuf_deinit(&a.size);
}

static void add_pairs(struct render *r, const struct ktstr_ctprof_block *block)
{
	size_t nr = 0;

	for (size_t i = 0; i < block->nr_groups; i++) {
		const struct ktstr_ctprof_group *g = &block->groups[i];

		if (!g->label_before || (nr++ >= APART_SHOWN && r->opts->limit))
			continue;
		strbuf_addf(r->out, "paired %.0f%%", g->similarity * 100);
		if (g->choices > 1)
			strbuf_addf(r->out, ", one of %" PRIu32, g->choices);
		strbuf_addstr(r->out, ": ");
		render_name(g->label_before, r->out);
		strbuf_addstr(r->out, " -> ");
		render_name(g->label, r->out);
		strbuf_addch(r->out, '\n');
	}
	if (nr > APART_SHOWN && r->opts->limit)
		strbuf_addf(r->out, "%zu more pairs; --limit 0 shows all\n", nr - APART_SHOWN);
}

/* What is not in the table, so that nobody thinks it was all. */
static void add_rest(struct render *r, const struct ktstr_ctprof_block *block)
{
	size_t listed = 0, shown = render_count(r, block), idle = 0;

	for (size_t i = 0; i < block->nr_groups; i++) {
		listed += render_is_listed(r, &block->groups[i]);
		idle += render_is_listed(r, &block->groups[i]) &&
			!has_something(r, &block->groups[i]);
	}
	if (listed > shown && idle)
		strbuf_addf(r->out, "%zu more, %zu of them unchanged; --limit 0 shows all\n",
			    listed - shown, idle < listed - shown ? idle : listed - shown);
	else if (listed > shown)
		strbuf_addf(r->out, "%zu more; --limit 0 shows all\n", listed - shown);
	add_pairs(r, block);
	if (block->unpaired)
		strbuf_addstr(r->out, "not paired: too many cgroups are on one side only\n");
	if (r->comparison->nr_sides == 1)
		return;
	add_apart(r, block, 0, r->comparison->one_boot ? "gone:" : "only before:");
	add_apart(r, block, 1, "only after:");
}

static void add_footnotes(struct render *r)
{
	struct sheet tone = { .colour = r->opts->colour };

	if (r->at_least)
		sheet_tone(&tone, SHEET_DIM, "* at least: threads that ended are not in it\n",
			   r->out);
	if (r->impossible)
		sheet_tone(&tone, SHEET_DIM,
			   "! a counter went back, as after an exec or a restart: those are left "
			   "out\n",
			   r->out);
	if (r->partial)
		sheet_tone(&tone, SHEET_DIM, "~ not of all: some had no such value\n", r->out);
}

static bool as_table(const struct render *r)
{
	const struct ktstr_ctprof_comparison *c = r->comparison;

	if (r->opts->layout != KTSTR_CTPROF_LAYOUT_AUTO)
		return r->opts->layout == KTSTR_CTPROF_LAYOUT_TABLE;
	return !r->opts->columns && (c->nr_sides == 1 || c->one_boot);
}

static int add_blocks(struct render *r)
{
	int result = 0;

	for (size_t i = 0; i < r->comparison->nr_blocks && result == 0; i++) {
		const struct ktstr_ctprof_block *block = &r->comparison->blocks[i];

		/* The machine is part of the others' tables. */
		if (i == 0 && r->comparison->nr_blocks > 1)
			continue;
		strbuf_addch(r->out, '\n');
		result = as_table(r) ? render_table(r, block) : render_rows(r, block);
		if (result == 0)
			add_rest(r, block);
		if (result == 0 && as_table(r) && r->comparison->nr_sides == 2)
			result = render_others(r, block);
	}
	return result;
}

int ktstr_ctprof_render_text(const struct ktstr_ctprof_comparison *comparison,
			     const struct ktstr_ctprof_text_opts *opts, char **ret_text,
			     struct ktstr_error *err)
{
	static const struct ktstr_ctprof_text_opts defaults;
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT_LIMIT(RENDER_TEXT_LIMIT);
	struct render r = {
		.comparison = comparison, .opts = opts ? opts : &defaults, .out = &out, .err = err
	};
	int result;

	render_heading(&r);
	result = add_blocks(&r);
	if (result == 0)
		add_footnotes(&r);
	if (result == -EINVAL)
		return result;
	if (result < 0)
		out.error = result;
	return render_hand_over(&out, ret_text, err);
}
