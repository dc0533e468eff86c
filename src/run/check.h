/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * check.h - scenarios x topologies as tests of a run, and their results as a table.
 *
 * A cell of the matrix is a scenario on a topology; it is one test, called SCENARIO.TOPOLOGY, which runs
 * once per seed and repetition.  A scenario that a topology does not fit has no cell there.
 */
#ifndef KTSTR_RUN_CHECK_H
#define KTSTR_RUN_CHECK_H

#include <jansson.h>

#include "base/strbuf.h"
#include "run/registry.h"
#include "run/result.h"
#include <ktstr/catalogue.h>
#include <ktstr/check.h>

struct check_topology {
	char name[KTSTR_TOPOLOGY_TEXT]; /* as asked for: a preset's, or the text */
	struct ktstr_topology topology;
};

struct check_cell {
	const struct ktstr_scenario *scenario;
	const struct check_topology *topology;
	char name[KTSTR_TEST_NAME];
	struct ktstr_test test;
	struct ktstr_entry entry;
	uint32_t rank; /* of those that fit a budget: how many show more for their time */
	unsigned int counts[KTSTR_ERROR + 1]; /* of its runs, by verdict */
	json_t *results;		      /* of those that did not pass */
};

struct check_matrix {
	struct check_topology topologies[KTSTR_CHECK_TOPOLOGIES];
	size_t nr_topologies;
	const struct ktstr_scenario **scenarios; /* selected */
	size_t nr_scenarios;
	struct check_cell *cells; /* in the order of scenarios, then topologies */
	size_t nr_cells;
	size_t nr_left_out; /* for lack of time */
};

/* Return: 0; -ENOENT (a pattern or preset matches nothing), -EINVAL, -ERANGE (nothing fits anywhere),
 * -ENOMEM.  @catalogue is borrowed. */
int check_matrix_make(const struct ktstr_check_opts *opts, const struct ktstr_catalogue *catalogue,
		      struct check_matrix *ret_matrix, struct ktstr_error *err) KTSTR_MUST_CHECK;
void check_matrix_deinit(struct check_matrix *matrix);
/* What one run of it takes of a CPU of this machine, as a rule of thumb. */
uint64_t check_cell_cost_ns(const struct check_cell *cell);
/* Keeps the cells that show most for their time: each scenario, topology, and pair of a topology with a
 * group, type of work, operation or check counts when it is new.  @budget_ns: of all CPUs together.
 * Return: 0, -ENOMEM. */
int check_matrix_fit(struct check_matrix *matrix, uint64_t budget_ns) KTSTR_MUST_CHECK;
/* Can its cells be run?  Asked before a guest is started: programs that scenarios start, schedulers they
 * attach, and what is demanded of them.  Return: 0, or as scenario_find_scheduler(),
 * payload_find_binary() and scenario_demands(), with the scenario named. */
int check_ready(const struct check_matrix *matrix, struct ktstr_error *err) KTSTR_MUST_CHECK;
/* The cell of that test, or NULL. */
struct check_cell *check_matrix_find(struct check_matrix *matrix, const char *test);
/* Takes in one result. */
int check_matrix_add(struct check_matrix *matrix, const struct result *result) KTSTR_MUST_CHECK;

struct check_style {
	bool color;
	unsigned int columns; /* of the screen: a table that is wider is continued below */
};

/* The table, by groups, of what was run; then the worst findings, and what was left out. */
void check_table(const struct check_matrix *matrix, const struct totals *totals,
		 const struct check_style *style, struct strbuf *out);

#endif
