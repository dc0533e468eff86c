// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ctprof/compare.h"
#include "ctprof/render.h"

enum { CELL_BYTES = 256, ROWS_PER_GROUP = 4, MACHINE_ROWS = 5 };

static const double WORTH_A_ROW = 0.01, STRONG = 0.25, MANY_PERCENT = 1000;

enum field {
	FIELD_GROUP,
	FIELD_THREADS,
	FIELD_METRIC,
	FIELD_BEFORE,
	FIELD_AFTER,
	FIELD_BETWEEN,
	FIELD_CHANGE,
	FIELD_PERCENT,
	FIELD_SHARE,
	FIELD_PER_SECOND,
	FIELD_HAD,
	NR_FIELDS
};

static const struct {
	const char *name, *head;
} fields[] = {
	[FIELD_GROUP] = { "group", NULL },	 [FIELD_THREADS] = { "threads", "THREADS" },
	[FIELD_METRIC] = { "metric", "METRIC" }, [FIELD_BEFORE] = { "before", "BEFORE" },
	[FIELD_AFTER] = { "after", "AFTER" },	 [FIELD_BETWEEN] = { "between", "BETWEEN" },
	[FIELD_CHANGE] = { "change", "CHANGE" }, [FIELD_PERCENT] = { "percent", "%" },
	[FIELD_SHARE] = { "share", "SHARE" },	 [FIELD_PER_SECOND] = { "per_second", "PER S" },
	[FIELD_HAD] = { "had", "HAD" },
};

struct field_list {
	enum field items[NR_FIELDS];
	size_t nr;
};

/* Metrics of rows, beside those a table has. */
static const char *const telling[] = {
	"avg_wait_ns",	"cpu_efficiency", "avg_slice_ns", "wait_max_ns",	  "iowait_sum_ns",
	"majflt",	"nr_wakeups",	  "policy",	  "ext_enabled",	  "nice",
	"cpu_affinity", "rchar_bytes",	  "wchar_bytes",  "blkio_delay_total_ns",
};

static int parse_fields(const struct render *r, const char *list, struct field_list *ret_fields)
{
	struct field_list f = { .nr = 0 };

	while (*list) {
		size_t len = strcspn(list, ","), i = 0;

		while (i < NR_FIELDS &&
		       (strlen(fields[i].name) != len || memcmp(fields[i].name, list, len) != 0))
			i++;
		if (i == NR_FIELDS)
			return ktstr_error_set(
				r->err, -EINVAL,
				"no column '%.*s': there are group, threads, metric, before, after, "
				"between, change, percent, share, per_second, had",
				(int)len, list);
		if (f.nr == NR_FIELDS)
			return ktstr_error_set(r->err, -EINVAL, "a column is given twice");
		f.items[f.nr++] = (enum field)i;
		list += len + (list[len] == ',');
	}
	*ret_fields = f;
	return 0;
}

static const char *default_fields(const struct ktstr_ctprof_comparison *c)
{
	if (c->nr_sides == 1)
		return "group,threads,metric,before,had";
	if (c->one_boot)
		return "group,threads,metric,between,per_second,share,before,after";
	return "group,threads,metric,before,after,percent,change,share";
}

static double seconds_of(const struct ktstr_ctprof_comparison *c)
{
	return c->per_second ? 1 : c->seconds[1];
}

static void add_had(const struct ktstr_ctprof_comparison *c, const struct ktstr_ctprof_cell *cell,
		    struct strbuf *out)
{
	for (unsigned int side = 0; side < c->nr_sides; side++)
		strbuf_addf(out, "%s%" PRIu32 "/%" PRIu32, side ? " -> " : "",
			    cell->sides[side].have, cell->sides[side].of);
}

static void add_number(const struct ktstr_ctprof_column *column, double number, struct strbuf *out)
{
	char text[KTSTR_CTPROF_NUMBER_BYTES];

	strbuf_addstr(out, ktstr_ctprof_format_number(column->info->unit, number, true, text));
}

static void add_value(const struct ktstr_ctprof_column *column, const struct ktstr_ctprof_value *v,
		      struct strbuf *out)
{
	char text[CELL_BYTES];

	strbuf_addstr(out, ktstr_ctprof_format_value(column, v, text, sizeof(text)));
}

static void add_change(struct render *r, const struct ktstr_ctprof_column *column,
		       const struct ktstr_ctprof_cell *cell, struct strbuf *out)
{
	if (cell->has_delta)
		add_number(column, cell->delta, out);
	else
		strbuf_addstr(out, cell->differs ? "differs" : "-");
	strbuf_addstr(out, render_mark(r, cell));
}

static void add_between(struct render *r, const struct ktstr_ctprof_column *column,
			const struct ktstr_ctprof_cell *cell, struct strbuf *out)
{
	if (cell->between.there && column_is_rate(column))
		add_number(column, cell->between.number, out);
	else
		add_value(column, &cell->between, out);
	strbuf_addstr(out, render_mark(r, cell));
}

static void add_percent(double percent, struct strbuf *out)
{
	char text[KTSTR_CTPROF_NUMBER_BYTES];

	if (percent < MANY_PERCENT)
		strbuf_addf(out, "%+.1f%%", percent);
	else
		strbuf_addf(out, "%s%%", ktstr_ctprof_format_number("", percent, true, text));
}

/* What one field says of a group's metric. */
static void format_field(struct render *r, enum field field,
			 const struct ktstr_ctprof_column *column,
			 const struct ktstr_ctprof_cell *cell, struct strbuf *out)
{
	const struct ktstr_ctprof_comparison *c = r->comparison;

	switch (field) {
	case FIELD_METRIC:
		strbuf_addf(out, "%s%s", column->info->name,
			    c->per_second && column_is_rate(column) ? "/s" : "");
		break;
	case FIELD_BEFORE:
	case FIELD_AFTER:
		add_value(column, &cell->sides[field == FIELD_AFTER], out);
		break;
	case FIELD_BETWEEN:
		add_between(r, column, cell, out);
		break;
	case FIELD_CHANGE:
		add_change(r, column, cell, out);
		break;
	case FIELD_PERCENT:
		if (cell->has_percent)
			add_percent(cell->percent, out);
		else
			strbuf_addch(out, '-');
		break;
	case FIELD_SHARE:
		if (cell->share > 0)
			strbuf_addf(out, "%.0f%%", cell->share * 100);
		else
			strbuf_addch(out, '-');
		break;
	case FIELD_PER_SECOND:
		if (cell->between.there && column_is_rate(column) && seconds_of(c) > 0)
			add_number(column, cell->between.number / seconds_of(c), out);
		else
			strbuf_addch(out, '-');
		break;
	default:
		add_had(c, cell, out);
	}
}

/* The rows of one block while they are added. */
struct rows {
	struct render *r;
	struct sheet *sheet;
	const struct ktstr_ctprof_block *block;
	const struct field_list *fields;
};

static bool is_left(enum field f)
{
	return f == FIELD_GROUP || f == FIELD_METRIC;
}

static void add_row(const struct rows *rows, const struct ktstr_ctprof_group *g, int column,
		    bool first)
{
	const struct ktstr_ctprof_block *block = rows->block;
	struct render *r = rows->r;
	const struct ktstr_ctprof_cell *cell = &g->cells[column];
	bool strong = r->comparison->nr_sides == 2 && cell->weight >= STRONG;

	for (size_t i = 0; i < rows->fields->nr; i++) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
		enum field field = rows->fields->items[i];

		if (field == FIELD_GROUP && first) {
			if (block->by == KTSTR_CTPROF_BY_TASK)
				strbuf_addf(&text, "%" PRIu32 " ", g->tid);
			render_name(g->label, &text);
		} else if (field == FIELD_THREADS && first) {
			render_threads(r, g, &text);
		} else if (field > FIELD_THREADS) {
			format_field(r, field, &block->columns[column], cell, &text);
		}
		sheet_add(rows->sheet, strong && field >= FIELD_BETWEEN ? SHEET_BOLD : SHEET_PLAIN,
			  strbuf_str(&text));
	}
}

static void add_candidate(const struct ktstr_ctprof_block *block, const char *name,
			  struct render_metrics *m)
{
	int column = ktstr_ctprof_column_find(block, name);

	for (size_t i = 0; i < m->nr; i++)
		if (m->items[i] == column)
			return;
	if (column >= 0 && m->nr < RENDER_METRICS)
		m->items[m->nr++] = column;
}

/* Keeps the heaviest few, in their order. */
static void keep_heaviest(const struct ktstr_ctprof_group *g, struct render_metrics *m)
{
	while (m->nr) {
		size_t least = 0;

		for (size_t i = 1; i < m->nr; i++)
			if (g->cells[m->items[i]].weight <= g->cells[m->items[least]].weight)
				least = i;
		if (m->nr <= ROWS_PER_GROUP &&
		    (m->nr == 1 || g->cells[m->items[least]].weight >= WORTH_A_ROW))
			return;
		memmove(&m->items[least], &m->items[least + 1],
			(m->nr - least - 1) * sizeof(m->items[0]));
		m->nr--;
	}
}

static void add_group(const struct rows *rows, const struct ktstr_ctprof_group *g,
		      struct render_metrics m)
{
	const struct ktstr_ctprof_block *block = rows->block;
	const struct render *r = rows->r;

	/* All of the machine weighs the same: what is most worth knowing comes first. */
	if (!r->opts->metrics && block->by == KTSTR_CTPROF_BY_MACHINE && m.nr > MACHINE_ROWS) {
		m.nr = MACHINE_ROWS;
	} else if (!r->opts->metrics && r->comparison->nr_sides == 2) {
		for (size_t i = 0; i < ARRAY_SIZE(telling); i++)
			add_candidate(block, telling[i], &m);
		keep_heaviest(g, &m);
	}
	for (size_t i = 0; i < m.nr; i++)
		add_row(rows, g, m.items[i], i == 0);
}

static const char *group_head(enum ktstr_ctprof_group_by by)
{
	return by == KTSTR_CTPROF_BY_CGROUP    ? "CGROUP"
	       : by == KTSTR_CTPROF_BY_PROCESS ? "PROCESS"
	       : by == KTSTR_CTPROF_BY_MACHINE ? "MACHINE"
					       : "THREAD";
}

/* One record has no before. */
static const char *column_head(const struct ktstr_ctprof_comparison *c, enum field f)
{
	return f == FIELD_BEFORE && c->nr_sides == 1 ? "VALUE" : fields[f].head;
}

static int add_machine(const struct rows *rows)
{
	struct render *r = rows->r;
	const struct ktstr_ctprof_block *machine = &r->comparison->blocks[0];
	struct render_metrics m;
	int result = render_choose(r, machine, &m);

	if (result == 0)
		add_group(&(struct rows){ r, rows->sheet, machine, rows->fields },
			  &machine->groups[0], m);
	return result;
}

int render_rows(struct render *r, const struct ktstr_ctprof_block *block)
{
	size_t nr = render_count(r, block), shown = 0;
	_cleanup_sheet_ struct sheet s = { 0 };
	struct render_metrics m;
	struct field_list f;
	struct rows rows = { r, &s, block, &f };
	int result;

	render_start(r, KTSTR_CTPROF_BY_PROCESS, &s);
	result = parse_fields(
		r, r->opts->columns ? r->opts->columns : default_fields(r->comparison), &f);
	if (result == 0)
		result = render_choose(r, block, &m);
	if (result < 0 || render_said_nothing(r, block))
		return result;
	s.nr_columns = f.nr;
	for (size_t i = 0; i < f.nr; i++) {
		const char *head = column_head(r->comparison, f.items[i]);

		s.left[i] = is_left(f.items[i]);
		s.name = f.items[i] == FIELD_GROUP ? i : s.name;
		sheet_add(&s, SHEET_BOLD, head ? head : group_head(block->by));
	}
	if (block->by != KTSTR_CTPROF_BY_MACHINE && block->nr_groups > 1)
		result = add_machine(&rows);
	for (size_t i = 0; i < block->nr_groups && shown < nr && result == 0; i++) {
		const struct ktstr_ctprof_group *g = &block->groups[i];

		if (!render_is_listed(r, g) ||
		    (r->opts->limit && r->comparison->nr_sides == 2 && g->weight <= 0))
			continue;
		add_group(&rows, g, m);
		shown++;
	}
	return result < 0 ? result : render_finish(r, &s);
}
