// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <ktstr/ctprof_condition.h>

#include "base/text.h"
#include "ctprof/compare.h"

struct judgement {
	const struct ktstr_ctprof_condition *condition;
	const struct ktstr_ctprof_comparison *comparison;
	enum ktstr_ctprof_outcome outcome;
	size_t matched, on_one_side;
	char *finding;
};

static bool too_few(uint32_t have, uint32_t of)
{
	return (uint64_t)have * 100 < (uint64_t)of * (100 - KTSTR_CTPROF_MISSING_PERCENT);
}

/* The number the condition is about.  Return: NULL, or why there is none. */
static const char *subject_of(const struct judgement *j, const struct ktstr_ctprof_cell *cell,
			      double *ret_number)
{
	const struct ktstr_ctprof_condition *c = j->condition;
	const struct ktstr_ctprof_value *v = &cell->sides[c->subject == KTSTR_CTPROF_SUBJECT_AFTER];

	if (c->subject != KTSTR_CTPROF_SUBJECT_CHANGE) {
		*ret_number = v->number;
		return v->there ? NULL : "nobody had it";
	}
	if (!cell->has_delta)
		return cell->went_back ? "a counter went back" : "not there on both sides";
	if (c->percent && !cell->has_percent)
		return "no percentage of nothing";
	*ret_number = c->percent ? cell->percent : cell->delta;
	return NULL;
}

static const char *coverage_of(const struct judgement *j, const struct ktstr_ctprof_group *g,
			       const struct ktstr_ctprof_cell *cell)
{
	bool change = j->condition->subject == KTSTR_CTPROF_SUBJECT_CHANGE;
	bool between = change && j->comparison->one_boot && cell->between.of;

	if (between && too_few(cell->between.have, cell->between.of))
		return cell->went_back ? "of too many threads it is absent, or went back"
				       : "too many threads lack it; narrow it with 'in GLOB'";
	if (between && cell->mark != KTSTR_CTPROF_MARK_NONE &&
	    too_few(g->threads[0] - g->ended, g->threads[0]))
		return "too many threads ended";
	for (unsigned int side = 0; side < 2 && !between; side++) {
		bool used = change || (j->condition->subject == KTSTR_CTPROF_SUBJECT_AFTER) == side;

		if (used && too_few(cell->sides[side].have, cell->sides[side].of))
			return "too many threads lack it; narrow it with 'in GLOB'";
	}
	return NULL;
}

static bool is_met(const struct ktstr_ctprof_condition *c, double number)
{
	if (number == c->number)
		return c->or_equal;
	return (number < c->number) == c->less;
}

/* What is missing could only make it more. */
static bool is_lower_bound(const struct judgement *j, const struct ktstr_ctprof_group *g,
			   const struct ktstr_ctprof_column *column,
			   const struct ktstr_ctprof_cell *cell)
{
	const struct ktstr_ctprof_condition *c = j->condition;

	if (c->less || c->subject != KTSTR_CTPROF_SUBJECT_CHANGE || !j->comparison->one_boot)
		return false;
	if (column->info->type != KTSTR_TYPE_COUNTER ||
	    column->info->aggregate != KTSTR_AGGREGATE_SUM)
		return false;
	return !c->percent || (g->ended && cell->between.have == cell->between.of);
}

static void tell(struct judgement *j, const struct ktstr_ctprof_group *g, const char *what)
{
	struct strbuf text = STRBUF_INIT_LIMIT(KTSTR_CTPROF_FINDING_BYTES);

	text_add_clean(&text, g->label, strlen(g->label), KTSTR_CTPROF_FINDING_BYTES / 2);
	snprintf(j->finding, KTSTR_CTPROF_FINDING_BYTES, "%s of %s: %s", j->condition->metric,
		 strbuf_str(&text), what);
	strbuf_deinit(&text);
}

/* Once met, it stays met; undecided beats not met. */
static void decide(struct judgement *j, const struct ktstr_ctprof_group *g,
		   enum ktstr_ctprof_outcome outcome, const char *what)
{
	if (j->finding[0] && outcome <= j->outcome)
		return;
	j->outcome = outcome;
	tell(j, g, what);
}

static void check_cell(struct judgement *j, const struct ktstr_ctprof_group *g,
		       const struct ktstr_ctprof_column *column,
		       const struct ktstr_ctprof_cell *cell)
{
	char number[KTSTR_CTPROF_NUMBER_BYTES], limit[KTSTR_CTPROF_NUMBER_BYTES], text[128];
	const struct ktstr_ctprof_condition *c = j->condition;
	bool change = c->subject == KTSTR_CTPROF_SUBJECT_CHANGE;
	double value = 0;
	const char *why = subject_of(j, cell, &value);

	if (!why) {
		why = coverage_of(j, g, cell);
		if (why && is_lower_bound(j, g, column, cell) && is_met(c, value))
			why = NULL;
	}
	if (why && column->info->needs && *column->info->needs && !cell->sides[0].there &&
	    !cell->sides[1].there) {
		snprintf(text, sizeof(text), "%s; it needs %s", why, column->info->needs);
		why = text;
	}
	if (why) {
		decide(j, g, KTSTR_CTPROF_UNDECIDED, why);
		return;
	}
	if (c->percent) {
		snprintf(number, sizeof(number), "%+.1f%%", value);
		snprintf(limit, sizeof(limit), "%.4g%%", c->number);
	} else {
		ktstr_ctprof_format_number(column->info->unit, value, change, number);
		ktstr_ctprof_format_number(column->info->unit, c->number, false, limit);
	}
	snprintf(text, sizeof(text), "%s is %s%s%s %s", number, is_met(c, value) ? "" : "not ",
		 c->less ? "<" : ">", c->or_equal ? "=" : "", limit);
	decide(j, g, is_met(c, value) ? KTSTR_CTPROF_MET : KTSTR_CTPROF_NOT_MET, text);
}

static void check_block(struct judgement *j, const struct ktstr_ctprof_block *block)
{
	int column = ktstr_ctprof_column_find(block, j->condition->metric);

	for (size_t i = 0; i < block->nr_groups && column >= 0; i++) {
		const struct ktstr_ctprof_group *g = &block->groups[i];

		if (j->condition->in_groups && fnmatch(j->condition->glob, g->label, 0) != 0)
			continue;
		if (block->by != KTSTR_CTPROF_BY_MACHINE && !(g->on[0] && g->on[1]) &&
		    !(j->comparison->one_boot && g->on[1])) {
			j->on_one_side++;
			continue;
		}
		j->matched++;
		check_cell(j, g, &block->columns[column], &g->cells[column]);
	}
}

enum ktstr_ctprof_outcome ktstr_ctprof_condition_check(
	const struct ktstr_ctprof_condition *condition,
	const struct ktstr_ctprof_comparison *comparison, char finding[KTSTR_CTPROF_FINDING_BYTES])
{
	struct judgement j = { .condition = condition,
			       .comparison = comparison,
			       .outcome = KTSTR_CTPROF_NOT_MET,
			       .finding = finding };

	finding[0] = '\0';
	for (size_t i = 0; i < comparison->nr_blocks; i++) {
		const struct ktstr_ctprof_block *block = &comparison->blocks[i];
		bool machine = block->by == KTSTR_CTPROF_BY_MACHINE;

		if (machine == condition->in_groups)
			continue;
		if (machine || condition->by == KTSTR_CTPROF_BY_ALL || condition->by == block->by)
			check_block(&j, block);
	}
	if (j.matched)
		return j.outcome;
	snprintf(finding, KTSTR_CTPROF_FINDING_BYTES, "%s: %s", condition->metric,
		 j.on_one_side ? "all groups that match are on one side only" : "no group matches");
	return KTSTR_CTPROF_UNDECIDED;
}
