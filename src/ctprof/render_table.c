// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ctprof/compare.h"
#include "ctprof/render.h"

enum { OTHERS_SHOWN = 5, CELL_BYTES = 256 };

static const double STRONG = 0.25, WORTH_TELLING = 0.1;

/* Metrics worth a line below a table that has no column for them. */
static const char *const others[] = {
	"nr_migrations",
	"block_sum_ns",
	"iowait_sum_ns",
	"majflt",
	"read_bytes",
	"write_bytes",
	"rchar_bytes",
	"wchar_bytes",
	"allocated_bytes",
	"throttled_us",
	"blkio_delay_total_ns",
	"swapin_delay_total_ns",
	"freepages_delay_total_ns",
	"thrashing_delay_total_ns",
	"compact_delay_total_ns",
	"irq_delay_total_ns",
	"core_forceidle_sum_ns",
	"minflt",
};

static bool is_quiet(const struct render *r, const struct ktstr_ctprof_cell *cell)
{
	const struct ktstr_ctprof_value *v = ktstr_ctprof_cell_main(r->comparison, cell);

	return v->there && v->number == 0;
}

/* "+1.2s*" of one_boot, "1.2s" of one side, "1.2s +31%" of others. */
static void format_cell(struct render *r, const struct ktstr_ctprof_column *column,
			const struct ktstr_ctprof_cell *cell, struct strbuf *out)
{
	const struct ktstr_ctprof_comparison *c = r->comparison;
	const struct ktstr_ctprof_value *v = ktstr_ctprof_cell_main(c, cell);
	char text[CELL_BYTES], number[KTSTR_CTPROF_NUMBER_BYTES];

	if (c->one_boot && v == &cell->between && column_is_rate(column) && v->there)
		strbuf_addstr(out, ktstr_ctprof_format_number(column->info->unit, v->number, true,
							      number));
	else
		strbuf_addstr(out, ktstr_ctprof_format_value(column, v, text, sizeof(text)));
	strbuf_addstr(out, render_mark(r, cell));
	if (c->nr_sides == 2 && !c->one_boot && cell->has_percent)
		strbuf_addf(out, " %+.0f%%", cell->percent);
}

static void add_cell(struct render *r, struct sheet *s, const struct ktstr_ctprof_column *column,
		     const struct ktstr_ctprof_cell *cell)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	bool strong = r->comparison->nr_sides == 2 && cell->weight >= STRONG;

	format_cell(r, column, cell, &text);
	sheet_add(s,
		  strong	      ? SHEET_BOLD
		  : is_quiet(r, cell) ? SHEET_DIM
				      : SHEET_PLAIN,
		  strbuf_str(&text));
}

static void add_group(struct render *r, struct sheet *s, const struct ktstr_ctprof_block *block,
		      const struct ktstr_ctprof_group *g, const struct render_metrics *m)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	if (block->by == KTSTR_CTPROF_BY_TASK) {
		strbuf_addf(&text, "%" PRIu32, g->tgid);
		sheet_add(s, SHEET_PLAIN, strbuf_str(&text));
		strbuf_clear(&text);
		strbuf_addf(&text, "%" PRIu32, g->tid);
		sheet_add(s, SHEET_PLAIN, strbuf_str(&text));
		strbuf_clear(&text);
	}
	render_name(g->label, &text);
	sheet_add(s, SHEET_PLAIN, strbuf_str(&text));
	if (block->by != KTSTR_CTPROF_BY_TASK) {
		strbuf_clear(&text);
		render_threads(r, g, &text);
		sheet_add(s, SHEET_PLAIN, strbuf_str(&text));
	}
	for (size_t i = 0; i < m->nr; i++)
		add_cell(r, s, &block->columns[m->items[i]], &g->cells[m->items[i]]);
}

static void add_heads(struct sheet *s, enum ktstr_ctprof_group_by by, bool per_second,
		      const struct render_metrics *m)
{
	static const char *const names[KTSTR_CTPROF_NR_GROUP_BYS] = {
		[KTSTR_CTPROF_BY_CGROUP] = "CGROUP",   [KTSTR_CTPROF_BY_PROCESS] = "PROCESS",
		[KTSTR_CTPROF_BY_THREAD] = "THREAD",   [KTSTR_CTPROF_BY_NAME] = "NAME",
		[KTSTR_CTPROF_BY_MACHINE] = "MACHINE",
	};
	char head[96];

	if (by == KTSTR_CTPROF_BY_TASK) {
		sheet_add(s, SHEET_BOLD, "TGID");
		sheet_add(s, SHEET_BOLD, "TID");
		sheet_add(s, SHEET_BOLD, "COMM");
	} else {
		sheet_add(s, SHEET_BOLD, names[by]);
		sheet_add(s, SHEET_BOLD, "THREADS");
	}
	for (size_t i = 0; i < m->nr; i++) {
		snprintf(head, sizeof(head), "%s%s", m->heads[i], per_second ? "/s" : "");
		sheet_add(s, SHEET_BOLD, head);
	}
}

/* The whole machine's line, with the columns of another block. */
static void add_machine(struct render *r, struct sheet *s, const struct ktstr_ctprof_block *block,
			const struct render_metrics *m)
{
	const struct ktstr_ctprof_block *machine = &r->comparison->blocks[0];
	const struct ktstr_ctprof_group *g = &machine->groups[0];
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	sheet_add(s, SHEET_PLAIN, "(all threads)");
	render_threads(r, g, &text);
	sheet_add(s, SHEET_PLAIN, strbuf_str(&text));
	for (size_t i = 0; i < m->nr; i++) {
		int column =
			ktstr_ctprof_column_find(machine, block->columns[m->items[i]].info->name);

		if (column < 0)
			sheet_add(s, SHEET_PLAIN, "");
		else
			add_cell(r, s, &machine->columns[column], &g->cells[column]);
	}
}

static void add_groups(struct render *r, struct sheet *s, const struct ktstr_ctprof_block *block,
		       const struct render_metrics *m)
{
	size_t shown = 0, nr = render_count(r, block);

	for (size_t i = 0; i < block->nr_groups && shown < nr; i++) {
		const struct ktstr_ctprof_group *g = &block->groups[i];

		if (!render_is_listed(r, g) ||
		    (r->opts->limit && r->comparison->nr_sides == 2 && g->weight <= 0))
			continue;
		add_group(r, s, block, g, m);
		shown++;
	}
}

int render_table(struct render *r, const struct ktstr_ctprof_block *block)
{
	bool tasks = block->by == KTSTR_CTPROF_BY_TASK;
	_cleanup_sheet_ struct sheet s = { 0 };
	struct render_metrics m;
	int result = render_choose(r, block, &m);

	render_start(r, block->by, &s);
	if (result < 0 || render_said_nothing(r, block))
		return result;
	s.nr_columns = m.nr + (tasks ? 3 : 2);
	s.name = tasks ? 2 : 0;
	s.left[s.name] = true;
	add_heads(&s, block->by, r->comparison->per_second, &m);
	if (!tasks && block->by != KTSTR_CTPROF_BY_MACHINE && block->nr_groups > 1)
		add_machine(r, &s, block, &m);
	add_groups(r, &s, block, &m);
	return render_finish(r, &s);
}

struct other {
	const struct ktstr_ctprof_group *group;
	size_t column;
	double weight;
};

static int compare_others(const void *a, const void *b)
{
	const struct other *x = a, *y = b;

	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	return x->column < y->column ? -1 : x->column > y->column;
}

static bool is_other(const char *name, const struct ktstr_ctprof_block *block,
		     const struct render_metrics *m)
{
	for (size_t i = 0; i < m->nr; i++)
		if (!strcmp(block->columns[m->items[i]].info->name, name))
			return false;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (!strcmp(others[i], name))
			return true;
	return false;
}

static void add_other(struct render *r, struct sheet *s, const struct ktstr_ctprof_block *block,
		      const struct other *o)
{
	const struct ktstr_ctprof_column *column = &block->columns[o->column];
	const struct ktstr_ctprof_cell *cell = &o->group->cells[o->column];
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	char share[32];

	render_name(o->group->label, &text);
	sheet_add(s, SHEET_PLAIN, strbuf_str(&text));
	sheet_add(s, SHEET_PLAIN, column->info->name);
	strbuf_clear(&text);
	format_cell(r, column, cell, &text);
	sheet_add(s, SHEET_PLAIN, strbuf_str(&text));
	snprintf(share, sizeof(share), "%.0f%% of all change", cell->share * 100);
	sheet_add(s, SHEET_DIM, share);
}

static int list_others(struct render *r, const struct ktstr_ctprof_block *block,
		       const struct other *all, size_t nr)
{
	_cleanup_sheet_ struct sheet s = { 0 };

	if (!nr)
		return 0;
	render_start(r, block->by, &s);
	s.nr_columns = 4;
	s.left[0] = s.left[1] = true;
	strbuf_addstr(r->out, "\nOther large changes:\n");
	for (size_t i = 0; i < nr && i < OTHERS_SHOWN; i++)
		add_other(r, &s, block, &all[i]);
	return render_finish(r, &s);
}

/* Columns that did not fit are told of here. */
int render_others(struct render *r, const struct ktstr_ctprof_block *block)
{
	_cleanup_free_ struct other *all =
		calloc(block->nr_groups * ARRAY_SIZE(others) + 1, sizeof(*all));
	struct render_metrics m;
	size_t nr = 0;
	int result = render_choose(r, block, &m);

	if (!all)
		return -ENOMEM;
	if (result < 0 || r->opts->metrics)
		return result;
	m.nr -= r->nr_dropped < m.nr ? r->nr_dropped : m.nr;
	for (size_t i = 0; i < block->nr_groups; i++) {
		for (size_t j = 0; j < block->nr_columns; j++) {
			double weight = block->groups[i].cells[j].weight;

			if (weight >= WORTH_TELLING && render_is_listed(r, &block->groups[i]) &&
			    is_other(block->columns[j].info->name, block, &m))
				all[nr++] = (struct other){ &block->groups[i], j, weight };
		}
	}
	qsort(all, nr, sizeof(*all), compare_others);
	return list_others(r, block, all, nr);
}
