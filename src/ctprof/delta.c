// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ctprof/compare.h"

/* How much of a group's rank a metric gives; what is not listed gives nothing. */
static const struct {
	const char *name;
	double worth;
} worths[] = {
	{ "run_time_ns", 1 },	  { "wait_time_ns", 1 },       { "block_sum_ns", 0.3 },
	{ "voluntary_csw", 0.3 }, { "nonvoluntary_csw", 0.3 }, { "nr_migrations", 0.3 },
	{ "nr_wakeups", 0.1 },	  { "minflt", 0.1 },	       { "majflt", 0.1 },
	{ "rchar_bytes", 0.05 },  { "wchar_bytes", 0.05 },     { "read_bytes", 0.2 },
	{ "write_bytes", 0.2 },	  { "allocated_bytes", 0.1 },  { "usage_us", 0.5 },
	{ "throttled_us", 1 },	  { "nr_throttled", 0.5 },
};

/* A change of this size counts half of its share. */
static double faint(const char *unit)
{
	if (!strcmp(unit, "ns"))
		return 10e6;
	if (!strcmp(unit, "us"))
		return 10e3;
	if (!strcmp(unit, "ticks"))
		return 1;
	if (!strcmp(unit, "bytes"))
		return 1 << 20;
	return 100;
}

static bool is_set(const struct ktstr_ctprof_column *c)
{
	return c->info->type == KTSTR_TYPE_CATEGORY || c->info->type == KTSTR_TYPE_SET;
}

static bool values_differ(const struct ktstr_ctprof_value *a, const struct ktstr_ctprof_value *b)
{
	if (!a->there || !b->there)
		return false;
	if (a->low != b->low || a->high != b->high || a->mixed != b->mixed)
		return true;
	return a->text && b->text && strcmp(a->text, b->text) != 0;
}

static bool unlimited(const struct ktstr_ctprof_value *v)
{
	return v->high == KTSTR_CTPROF_UNLIMITED;
}

/* Counters of one boot: what happened in between, not what the two sums say. */
static bool by_between(const struct ktstr_ctprof_comparison *c,
		       const struct ktstr_ctprof_column *column)
{
	return c->one_boot && column_is_rate(column);
}

static void mark_cell(const struct ktstr_ctprof_group *g, struct ktstr_ctprof_cell *cell,
		      const struct ktstr_ctprof_column *column)
{
	if (cell->went_back)
		cell->mark = KTSTR_CTPROF_MARK_IMPOSSIBLE;
	else if (g->ended && column->kind <= KTSTR_CTPROF_KIND_DERIVED)
		cell->mark = KTSTR_CTPROF_MARK_AT_LEAST;
}

static void delta_cell(const struct ktstr_ctprof_comparison *c, const struct ktstr_ctprof_group *g,
		       const struct ktstr_ctprof_column *column, struct ktstr_ctprof_cell *cell)
{
	const struct ktstr_ctprof_value *a = &cell->sides[0], *b = &cell->sides[1];

	cell->differs = values_differ(a, b);
	if (is_set(column))
		return;
	if (by_between(c, column)) {
		cell->has_delta = cell->between.there;
		cell->delta = cell->between.number;
		mark_cell(g, cell, column);
	} else if (a->there && b->there && !unlimited(a) && !unlimited(b)) {
		cell->has_delta = true;
		cell->delta = b->number - a->number;
		if (cell->went_back)
			cell->mark = KTSTR_CTPROF_MARK_IMPOSSIBLE;
	}
	if (!cell->has_delta)
		cell->delta = 0;
	if (cell->has_delta && a->there && a->number != 0 && strcmp(column->info->unit, "ratio")) {
		double base = c->one_boot && c->per_second && by_between(c, column)
				      ? a->number / c->seconds[1]
				      : a->number;

		cell->has_percent = true;
		cell->percent = cell->delta * 100 / __builtin_fabs(base);
	}
}

static void divide(struct ktstr_ctprof_value *v, double seconds)
{
	v->number /= seconds;
}

static void divide_by_time(const struct ktstr_ctprof_comparison *c,
			   const struct ktstr_ctprof_column *column, struct ktstr_ctprof_cell *cell)
{
	if (!c->per_second || !column_is_rate(column))
		return;
	if (c->one_boot) {
		divide(&cell->between, c->seconds[1]);
		return;
	}
	for (unsigned int side = 0; side < c->nr_sides; side++)
		divide(&cell->sides[side], c->seconds[side]);
}

/* Of one snapshot: how much of all there is. */
static double size_of_cell(const struct ktstr_ctprof_comparison *c,
			   const struct ktstr_ctprof_cell *cell)
{
	if (c->nr_sides == 2)
		return cell->has_delta ? __builtin_fabs(cell->delta) : 0;
	return cell->sides[0].there ? __builtin_fabs(cell->sides[0].number) : 0;
}

static bool sums_up(const struct ktstr_ctprof_column *column)
{
	if (column->kind == KTSTR_CTPROF_KIND_DERIVED)
		return column_is_rate(column);
	return column->info->aggregate == KTSTR_AGGREGATE_SUM;
}

static void share_column(const struct ktstr_ctprof_comparison *c, struct ktstr_ctprof_block *block,
			 size_t column, double worth)
{
	double seconds = c->per_second && c->seconds[1] > 0 ? c->seconds[1] : 1;
	double floor = faint(block->columns[column].info->unit) / seconds;
	double all = 0;

	for (size_t i = 0; i < block->nr_groups; i++)
		all += size_of_cell(c, &block->groups[i].cells[column]);
	for (size_t i = 0; i < block->nr_groups && all > 0; i++) {
		struct ktstr_ctprof_cell *cell =
			(struct ktstr_ctprof_cell *)&block->groups[i].cells[column];
		double size = size_of_cell(c, cell);

		cell->share = size / all;
		cell->weight = cell->share * (size / (size + floor));
		block->groups[i].weight += worth * cell->weight;
	}
}

static double worth_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(worths); i++)
		if (!strcmp(worths[i].name, name))
			return worths[i].worth;
	return 0;
}

/* Means and levels have no share: they weigh as much as they moved, times their group. */
static void weigh_column(const struct ktstr_ctprof_comparison *c, struct ktstr_ctprof_block *block,
			 size_t column)
{
	for (size_t i = 0; i < block->nr_groups; i++) {
		struct ktstr_ctprof_cell *cell =
			(struct ktstr_ctprof_cell *)&block->groups[i].cells[column];
		double a = __builtin_fabs(cell->sides[0].number),
		       b = __builtin_fabs(cell->sides[1].number);
		double group = block->groups[i].weight > 1 ? 1 : block->groups[i].weight;

		if (c->nr_sides == 2 && cell->has_delta && cell->delta != 0)
			cell->weight = __builtin_fabs(cell->delta) / (a > b ? a : b) * group;
		else if (c->nr_sides == 2 && cell->differs)
			cell->weight = group;
		if (cell->weight > 1)
			cell->weight = 1;
	}
}

void delta_block(struct ktstr_ctprof_comparison *c, struct ktstr_ctprof_block *block)
{
	double worth = 0;

	for (size_t i = 0; i < block->nr_groups; i++) {
		for (size_t j = 0; j < block->nr_columns; j++) {
			struct ktstr_ctprof_cell *cell =
				(struct ktstr_ctprof_cell *)&block->groups[i].cells[j];

			divide_by_time(c, &block->columns[j], cell);
			if (c->nr_sides == 2)
				delta_cell(c, &block->groups[i], &block->columns[j], cell);
		}
	}
	for (size_t j = 0; j < block->nr_columns; j++)
		worth += worth_of(block->columns[j].info->name);
	/* Nothing of note was asked for: then all of it is. */
	for (size_t j = 0; j < block->nr_columns; j++)
		if (sums_up(&block->columns[j]))
			share_column(c, block, j,
				     worth > 0 ? worth_of(block->columns[j].info->name) : 1);
	for (size_t j = 0; j < block->nr_columns; j++)
		if (!sums_up(&block->columns[j]))
			weigh_column(c, block, j);
}
