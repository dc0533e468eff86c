// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "run/check.h"
#include "run/project.h"
#include "run/scenario.h"
#include "work/payload_find.h"

static int check_programs(const struct ktstr_scenario *scenario, struct ktstr_error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < KTSTR_SCENARIO_STAGED && scenario->staged[i]; i++) {
		_cleanup_free_ char *path = NULL;

		r = scenario_find_scheduler(scenario->staged[i], NULL, &path, err);
	}
	for (size_t i = 0; r == 0 && i < KTSTR_SCENARIO_STEPS * KTSTR_STEP_WORKS; i++) {
		const struct ktstr_work *work =
			&scenario->steps[i / KTSTR_STEP_WORKS].works[i % KTSTR_STEP_WORKS];
		_cleanup_free_ char *path = NULL;

		if (work->name && work->program)
			r = payload_find_binary(work->program, NULL, &path, err);
	}
	return r;
}

static int check_cell(const struct check_cell *cell, struct ktstr_error *err)
{
	int r = check_programs(cell->scenario, err);

	if (r == 0)
		r = scenario_demands(&cell->test, NULL, err);
	return r < 0 ? ktstr_error_wrap(err, r, "scenario '%s'", cell->scenario->name) : 0;
}

int check_ready(const struct check_matrix *matrix, struct ktstr_error *err)
{
	_cleanup_project_ struct project project = { 0 };
	const struct ktstr_scenario *seen = NULL;
	int r = project_read(&project, err);

	for (size_t i = 0; r == 0 && i < matrix->nr_cells; i++) {
		if (matrix->cells[i].scenario != seen)
			r = check_cell(&matrix->cells[i], err);
		seen = matrix->cells[i].scenario;
	}
	return r;
}
