// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "run/check.h"
#include "run/plan.h"

enum { FEATURES = 65536, CELL_FEATURES = 96, FEATURE_TEXT = 160 };
enum { SCENARIO_WORTH = 40, TOPOLOGY_WORTH = 8, PAIR_WORTH = 2 };
/* As measured in exact mode: a clone with its set-up, a scheduler's load, and what a second of the
 * guest's time costs, however many CPUs share it. */
#define START_NS     MSECS(1200)
#define ATTACH_NS    MSECS(2600)
#define COST_PERCENT 45

/* What running a cell would show that no cell has shown yet. */
struct features {
	uint32_t of[CELL_FEATURES]; /* places in the table of all */
	uint32_t worth[CELL_FEATURES];
	size_t nr;
};

struct chooser {
	const struct check_matrix *matrix;
	struct features *cells;
	bool seen[FEATURES];
	bool *chosen;
};

static void add_feature(struct features *f, const char *text, uint32_t worth)
{
	uint32_t place = (uint32_t)(plan_hash(text) % FEATURES);

	for (size_t i = 0; i < f->nr; i++)
		if (f->of[i] == place)
			return;
	if (f->nr == CELL_FEATURES)
		return;
	f->of[f->nr] = place;
	f->worth[f->nr++] = worth;
}

static void add_pair(struct features *f, const char *kind, const char *what,
		     const struct check_topology *topology)
{
	char text[FEATURE_TEXT];

	snprintf(text, sizeof(text), "%s %s %s", kind, what, topology->name);
	add_feature(f, text, PAIR_WORTH);
}

static void add_step(struct features *f, const struct ktstr_step *step,
		     const struct check_topology *topology)
{
	for (size_t i = 0; i < KTSTR_STEP_WORKS && step->works[i].name; i++)
		add_pair(f, "work", ktstr_work_info(step->works[i].type)->name, topology);
	for (size_t i = 0; i < KTSTR_STEP_OPS && step->ops[i].kind; i++)
		add_pair(f, "op", ktstr_step_op_info(step->ops[i].kind)->name, topology);
}

static void fill_features(const struct check_cell *cell, struct features *f)
{
	const struct ktstr_scenario *scenario = cell->scenario;
	char text[FEATURE_TEXT];

	snprintf(text, sizeof(text), "scenario %s", scenario->name);
	add_feature(f, text, SCENARIO_WORTH);
	snprintf(text, sizeof(text), "topology %s", cell->topology->name);
	add_feature(f, text, TOPOLOGY_WORTH);
	add_pair(f, "group", scenario->group ? scenario->group : "", cell->topology);
	for (size_t i = 0; i < KTSTR_SCENARIO_STEPS; i++)
		add_step(f, &scenario->steps[i], cell->topology);
	for (size_t i = 0; i < KTSTR_SCENARIO_CHECKS && scenario->checks[i].check; i++)
		add_pair(f, "check", ktstr_check_info(scenario->checks[i].check)->name,
			 cell->topology);
}

uint64_t check_cell_cost_ns(const struct check_cell *cell)
{
	uint64_t steps_ns = ktstr_scenario_time_ns(cell->scenario);

	return START_NS + (cell->test.scheduler ? ATTACH_NS : 0) + steps_ns / 100 * COST_PERCENT;
}

static uint32_t worth_of(const struct chooser *c, size_t cell)
{
	const struct features *f = &c->cells[cell];
	uint32_t worth = 0;

	for (size_t i = 0; i < f->nr; i++)
		worth += c->seen[f->of[i]] ? 0 : f->worth[i];
	return worth;
}

/* The cell that is worth most for its time; of equals the first.  Return: -1 if none shows anything
 * new in the time that is left. */
static ssize_t best(const struct chooser *c, uint64_t left_ns)
{
	ssize_t found = -1;
	double most = 0;

	for (size_t i = 0; i < c->matrix->nr_cells; i++) {
		uint64_t cost_ns = check_cell_cost_ns(&c->matrix->cells[i]);
		double worth;

		if (c->chosen[i] || cost_ns > left_ns)
			continue;
		worth = (double)worth_of(c, i) / (double)cost_ns;
		if (worth > most) {
			most = worth;
			found = (ssize_t)i;
		}
	}
	return found;
}

static void take(struct chooser *c, size_t cell, uint32_t rank)
{
	c->chosen[cell] = true;
	c->matrix->cells[cell].rank = rank;
	for (size_t i = 0; i < c->cells[cell].nr; i++)
		c->seen[c->cells[cell].of[i]] = true;
}

/* Moves what was chosen to the front, in the order it had. */
static void keep_chosen(struct check_matrix *m, const bool *chosen)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->nr_cells; i++) {
		if (!chosen[i]) {
			json_decref(m->cells[i].results);
			continue;
		}
		if (kept != i)
			m->cells[kept] = m->cells[i];
		/* They point into themselves. */
		m->cells[kept].entry.name = m->cells[kept].name;
		m->cells[kept].entry.test = &m->cells[kept].test;
		kept++;
	}
	m->nr_left_out = m->nr_cells - kept;
	m->nr_cells = kept;
}

int check_matrix_fit(struct check_matrix *matrix, uint64_t budget_ns)
{
	struct chooser *c = calloc(1, sizeof(*c));
	size_t nr = matrix->nr_cells;
	uint32_t rank = 0;
	ssize_t cell;
	int r = -ENOMEM;

	if (!c)
		return -ENOMEM;
	c->matrix = matrix;
	c->cells = calloc(nr + 1, sizeof(*c->cells));
	c->chosen = calloc(nr + 1, sizeof(*c->chosen));
	if (c->cells && c->chosen) {
		for (size_t i = 0; i < nr; i++)
			fill_features(&matrix->cells[i], &c->cells[i]);
		while ((cell = best(c, budget_ns)) >= 0) {
			take(c, (size_t)cell, rank++);
			budget_ns -= check_cell_cost_ns(&matrix->cells[cell]);
		}
		keep_chosen(matrix, c->chosen);
		r = 0;
	}
	free(c->cells);
	free(c->chosen);
	free(c);
	return r;
}
