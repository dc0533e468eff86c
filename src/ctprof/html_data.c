// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ctprof/html.h"
#include "ctprof/page.h"

/* As page.js has them. */
enum { WENT_BACK = 1, AT_LEAST = 2, DIFFERS = 4, VALUE_BYTES = 256 };

/* A number if it is one to sort and scale, else the text people read; null if absent. */
static void add_value(const struct ktstr_ctprof_column *column, const struct ktstr_ctprof_value *v,
		      struct strbuf *out)
{
	bool is_number =
		column->info->type == KTSTR_TYPE_COUNTER || column->info->type == KTSTR_TYPE_PEAK ||
		column->info->type == KTSTR_TYPE_GAUGE || column->kind == KTSTR_CTPROF_KIND_DERIVED;
	char text[VALUE_BYTES];

	if (!v->there)
		strbuf_addstr(out, "null");
	else if (is_number && !v->text && v->low != KTSTR_CTPROF_UNLIMITED)
		text_add_number(out, v->number);
	else
		page_add_json(out, ktstr_ctprof_format_value(column, v, text, sizeof(text)));
	strbuf_addf(out, ",%" PRIu32 ",%" PRIu32, v->there ? v->have : 0, v->of);
}

static void add_number(bool there, double number, struct strbuf *out)
{
	strbuf_addch(out, ',');
	if (there)
		text_add_number(out, number);
	else
		strbuf_addstr(out, "null");
}

static void add_cell(const struct html *h, const struct ktstr_ctprof_column *column,
		     const struct ktstr_ctprof_cell *cell, struct strbuf *out)
{
	unsigned int flags = 0;

	strbuf_addf(out, "[%u,", html_metric(column));
	add_value(column, &cell->sides[0], out);
	if (h->comparison->nr_sides > 1) {
		flags |= cell->mark == KTSTR_CTPROF_MARK_IMPOSSIBLE ? WENT_BACK : 0;
		flags |= cell->mark == KTSTR_CTPROF_MARK_AT_LEAST ? AT_LEAST : 0;
		flags |= cell->differs ? DIFFERS : 0;
		strbuf_addch(out, ',');
		add_value(column, &cell->sides[1], out);
		strbuf_addch(out, ',');
		add_value(column, &cell->between, out);
		add_number(cell->has_delta, cell->delta, out);
		add_number(cell->has_percent, cell->percent, out);
		strbuf_addf(out, ",%.4g,%.4g,%u,%" PRIu32, cell->weight, cell->share, flags,
			    cell->went_back);
	}
	strbuf_addch(out, ']');
}

static void add_group(const struct html *h, size_t block, size_t group, struct strbuf *out)
{
	const struct ktstr_ctprof_block *b = &h->comparison->blocks[block];
	const struct ktstr_ctprof_group *g = &b->groups[group];
	bool first = true;

	strbuf_addstr(out, "{\"name\":");
	page_add_json(out, g->label);
	if (g->label_before) {
		strbuf_addstr(out, ",\"was\":");
		page_add_json(out, g->label_before);
		strbuf_addf(out, ",\"alike\":%.3f", g->similarity);
		if (g->choices > 1)
			strbuf_addf(out, ",\"choices\":%" PRIu32, g->choices);
	}
	if (g->tid)
		strbuf_addf(out, ",\"tgid\":%" PRIu32 ",\"tid\":%" PRIu32, g->tgid, g->tid);
	if (h->comparison->nr_sides > 1)
		strbuf_addf(out, ",\"weight\":%.4g", g->weight);
	if (h->comparison->nr_sides > 1)
		strbuf_addf(out, ",\"side\":\"%s\",\"n\":[%" PRIu32 ",%" PRIu32 "]",
			    g->on[0] && g->on[1] ? "both"
			    : g->on[0]		 ? "before"
						 : "after",
			    g->threads[0], g->threads[1]);
	else
		strbuf_addf(out, ",\"n\":[%" PRIu32 "]", g->threads[0]);
	strbuf_addstr(out, ",\"cells\":[");
	for (size_t i = 0; i < b->nr_columns; i++) {
		const struct ktstr_ctprof_cell *cell = &g->cells[i];

		if (!cell->sides[0].there && !cell->sides[1].there && !cell->between.there)
			continue;
		strbuf_addstr(out, first ? "" : ",");
		add_cell(h, &b->columns[i], cell, out);
		first = false;
	}
	strbuf_addstr(out, "]");
	html_add_curves(h, block, group, out);
	strbuf_addstr(out, "}");
}

static void add_block(const struct html *h, size_t block, struct strbuf *out)
{
	const struct ktstr_ctprof_block *b = &h->comparison->blocks[block];
	size_t nr = html_groups(h, b);

	strbuf_addf(out, "{\"name\":\"%s\",\"all\":%zu,\"groups\":[\n",
		    ktstr_ctprof_group_by_name(b->by), b->nr_groups);
	for (size_t i = 0; i < nr; i++) {
		add_group(h, block, i, out);
		strbuf_addstr(out, i + 1 < nr ? ",\n" : "\n");
	}
	strbuf_addstr(out, "]}");
}

static size_t table_size(enum ktstr_ctprof_kind kind)
{
	static const size_t sizes[] = {
		[KTSTR_CTPROF_KIND_THREAD] = KTSTR_CTPROF_NR_METRICS,
		[KTSTR_CTPROF_KIND_TEXT] = KTSTR_CTPROF_NR_TEXTS,
		[KTSTR_CTPROF_KIND_DERIVED] = KTSTR_CTPROF_NR_DERIVED,
		[KTSTR_CTPROF_KIND_CGROUP] = KTSTR_CTPROF_NR_CGROUP_METRICS,
		[KTSTR_CTPROF_KIND_CGROUP_TEXT] = KTSTR_CTPROF_NR_CGROUP_TEXTS,
		[KTSTR_CTPROF_KIND_HOST] = KTSTR_CTPROF_NR_HOST_METRICS,
		[KTSTR_CTPROF_KIND_HOST_TEXT] = KTSTR_CTPROF_NR_HOST_TEXTS,
	};

	return sizes[kind];
}

unsigned int html_metric(const struct ktstr_ctprof_column *column)
{
	size_t number = column->index;

	for (unsigned int kind = 0; kind < (unsigned int)column->kind; kind++)
		number += table_size((enum ktstr_ctprof_kind)kind);
	return (unsigned int)number;
}

static void add_metric(const struct ktstr_ctprof_column *column, struct strbuf *out)
{
	const struct ktstr_metric_info *info = column->info;
	bool derived = column->kind == KTSTR_CTPROF_KIND_DERIVED;

	strbuf_addf(out, "\"%u\":{\"name\":", html_metric(column));
	page_add_json(out, info->name);
	strbuf_addf(out,
		    ",\"unit\":\"%s\",\"kind\":\"%s\",\"section\":\"%s\",\"about\":", info->unit,
		    derived ? "derived" : ktstr_metric_type_name(info->type),
		    ktstr_ctprof_section_name(column->section));
	page_add_json(out, info->about);
	strbuf_addstr(out, ",\"needs\":");
	page_add_json(out, info->needs ? info->needs : "");
	strbuf_addch(out, '}');
}

/* By number, as not every block has every column. */
static void add_metrics(const struct html *h, struct strbuf *out)
{
	const struct ktstr_ctprof_comparison *c = h->comparison;
	_cleanup_strbuf_ struct strbuf seen = STRBUF_INIT;
	bool first = true;

	strbuf_addstr(out, "\"metrics\":{\n");
	for (size_t b = 0; b < c->nr_blocks; b++) {
		for (size_t i = 0; i < c->blocks[b].nr_columns; i++) {
			unsigned int number = html_metric(&c->blocks[b].columns[i]);

			while (seen.len <= number && !seen.error)
				strbuf_addch(&seen, ' ');
			if (seen.error || seen.data[number] != ' ')
				continue;
			seen.data[number] = 'x';
			strbuf_addstr(out, first ? "" : ",\n");
			add_metric(&c->blocks[b].columns[i], out);
			first = false;
		}
	}
	if (seen.error)
		out->error = seen.error;
	strbuf_addstr(out, "},\n");
}

/* The first key of the order, or what one would look for; null: all. */
static void add_first_metric(const struct html *h, struct strbuf *out)
{
	const struct ktstr_ctprof_comparison *c = h->comparison;
	const char *wanted = c->nr_sides > 1 ? "" : "run_time_ns";
	char name[64];

	if (h->opts.sort)
		wanted = h->opts.sort;
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(wanted, ":,"), wanted);
	for (size_t i = c->nr_blocks; i-- > 0;) {
		int column = ktstr_ctprof_column_find(&c->blocks[i], name);

		if (column < 0)
			continue;
		strbuf_addf(out, "%u", html_metric(&c->blocks[i].columns[column]));
		return;
	}
	strbuf_addstr(out, "null");
}

void html_add_data(const struct html *h, struct strbuf *out)
{
	const struct ktstr_ctprof_comparison *c = h->comparison;
	bool windows = c->nr_sides > 1 && c->sides[0].since;

	strbuf_addstr(out, "{\"curves_of\":");
	page_add_json(out, h->opts.series_name ? h->opts.series_name : "");
	strbuf_addf(out, ",\"version\":1,\"mode\":\"%s\",\"one_boot\":%s,\"rates\":\"%s\",",
		    c->nr_sides > 1 ? "compare" : "show", c->one_boot ? "true" : "false",
		    windows	    ? "all"
		    : c->per_second ? "change"
				    : "none");
	strbuf_addf(out, "\"seconds\":%.6f,\"metric\":", c->one_boot ? c->seconds[1] : 0);
	add_first_metric(h, out);
	strbuf_addstr(out, ",\n");
	add_metrics(h, out);
	html_add_times(h, out);
	strbuf_addstr(out, "\"sections\":[\n");
	for (size_t i = 0; i < c->nr_blocks; i++) {
		add_block(h, i, out);
		strbuf_addstr(out, i + 1 < c->nr_blocks ? ",\n" : "\n");
	}
	strbuf_addstr(out, "]}");
}
