// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/near.h"
#include "run/check.h"

enum { HINT_BYTES = NEAR_WORD + 32 };

/* One of each kind: one LLC, two, SMT, an odd number, two nodes. */
static const char *const default_topologies[] = { "1n1l2c1t", "1n2l2c1t", "1n1l2c2t",
						  "1n3l1c1t", "2n2l2c1t", NULL };

static int add_topology(struct check_matrix *m, const char *name, struct ktstr_error *err)
{
	struct check_topology *t = &m->topologies[m->nr_topologies];
	int r;

	if (m->nr_topologies == KTSTR_CHECK_TOPOLOGIES)
		return ktstr_error_set(err, -E2BIG, "more than %d topologies",
				       KTSTR_CHECK_TOPOLOGIES);
	for (size_t i = 0; i < m->nr_topologies; i++)
		if (!strcmp(m->topologies[i].name, name))
			return 0;
	r = ktstr_preset_find(name, &t->topology, err);
	if (r == 0)
		r = ktstr_topology_check(&t->topology, err);
	if (r < 0)
		return r;
	snprintf(t->name, sizeof(t->name), "%s", name);
	m->nr_topologies++;
	return 0;
}

static int choose_topologies(const struct ktstr_check_opts *opts, struct check_matrix *m,
			     struct ktstr_error *err)
{
	const char *const *names = opts->topologies ? opts->topologies : default_topologies;
	int r = 0;

	for (; r == 0 && *names; names++)
		r = add_topology(m, *names, err);
	return r;
}

static bool is_selected(const struct ktstr_check_opts *opts, const struct ktstr_scenario *scenario)
{
	if (!opts->patterns || !opts->patterns[0])
		return true;
	for (const char *const *p = opts->patterns; *p; p++)
		if (ktstr_catalogue_matches(scenario, *p))
			return true;
	return false;
}

static bool is_glob(const char *pattern)
{
	return strpbrk(pattern, "*?[");
}

static int no_match(const struct ktstr_catalogue *catalogue, const char *pattern,
		    struct ktstr_error *err)
{
	size_t group = strcspn(pattern, ":");
	bool has_group = pattern[group];
	char word[2 * KTSTR_SCENARIO_NAME], hint[HINT_BYTES];
	const char *what = has_group ? "group" : "scenario";
	struct near near;

	snprintf(word, sizeof(word), "%.*s", (int)group, pattern);
	near = near_start(word);
	for (size_t i = 0; i < ktstr_catalogue_nr(catalogue); i++) {
		const struct ktstr_scenario *s = ktstr_catalogue_scenario(catalogue, i);

		if (!strcmp(has_group ? s->group : s->name, word)) {
			what = "scenario";
			has_group = false;
			near = near_start(pattern + group + 1);
		}
		near_offer(&near, has_group ? s->group : s->name);
	}
	near_hint(&near, hint, sizeof(hint));
	return ktstr_error_set(err, -ENOENT, "no %s matches '%s'%s", what, pattern,
			       *hint && !is_glob(word) ? hint
						       : "; 'ktstr list scenarios' shows all");
}

static int check_patterns(const struct ktstr_check_opts *opts,
			  const struct ktstr_catalogue *catalogue, struct ktstr_error *err)
{
	for (const char *const *p = opts->patterns; p && *p; p++) {
		size_t hits = 0;

		for (size_t i = 0; i < ktstr_catalogue_nr(catalogue); i++)
			hits += ktstr_catalogue_matches(ktstr_catalogue_scenario(catalogue, i), *p);
		if (!hits)
			return no_match(catalogue, *p, err);
	}
	return 0;
}

static int choose_scenarios(const struct ktstr_check_opts *opts,
			    const struct ktstr_catalogue *catalogue, struct check_matrix *m,
			    struct ktstr_error *err)
{
	size_t nr = ktstr_catalogue_nr(catalogue);
	int r = check_patterns(opts, catalogue, err);

	if (r < 0)
		return r;
	m->scenarios = calloc(nr + 1, sizeof(*m->scenarios));
	if (!m->scenarios)
		return ktstr_error_nomem(err);
	for (size_t i = 0; i < nr; i++) {
		const struct ktstr_scenario *scenario = ktstr_catalogue_scenario(catalogue, i);

		if (is_selected(opts, scenario))
			m->scenarios[m->nr_scenarios++] = scenario;
	}
	return m->nr_scenarios ? 0 : ktstr_error_set(err, -ENOENT, "there is no scenario to run");
}

static void fill_cell(struct check_cell *cell, const struct ktstr_check_opts *opts)
{
	snprintf(cell->name, sizeof(cell->name), "%.40s.%.20s", cell->scenario->name,
		 cell->topology->name);
	cell->test = (struct ktstr_test){ .about = cell->scenario->about,
					  .topology = cell->topology->topology,
					  .needs = { .sched_ext = opts->scheduler },
					  .scheduler = opts->scheduler,
					  .scenario = cell->scenario };
	cell->entry = (struct ktstr_entry){ .abi = KTSTR_TEST_ABI,
					    .test_size = sizeof(struct ktstr_test),
					    .name = cell->name,
					    .file = "",
					    .test = &cell->test };
}

static int make_cells(const struct ktstr_check_opts *opts, struct check_matrix *m,
		      struct ktstr_error *err)
{
	struct ktstr_error why = { 0 };

	m->cells = calloc(m->nr_scenarios * m->nr_topologies + 1, sizeof(*m->cells));
	if (!m->cells)
		return ktstr_error_nomem(err);
	for (size_t s = 0; s < m->nr_scenarios; s++) {
		for (size_t t = 0; t < m->nr_topologies; t++) {
			struct check_cell *cell = &m->cells[m->nr_cells];

			if (ktstr_scenario_check(m->scenarios[s], &m->topologies[t].topology,
						 &why) < 0)
				continue;
			cell->scenario = m->scenarios[s];
			cell->topology = &m->topologies[t];
			cell->results = json_array();
			if (!cell->results)
				return ktstr_error_nomem(err);
			fill_cell(cell, opts);
			m->nr_cells++;
		}
	}
	return m->nr_cells ? 0 : ktstr_error_set(err, -ERANGE, "%s", why.text);
}

int check_matrix_make(const struct ktstr_check_opts *opts, const struct ktstr_catalogue *catalogue,
		      struct check_matrix *ret_matrix, struct ktstr_error *err)
{
	struct check_matrix *m = ret_matrix;
	int r;

	*m = (struct check_matrix){ 0 };
	r = choose_topologies(opts, m, err);
	if (r == 0)
		r = choose_scenarios(opts, catalogue, m, err);
	if (r == 0)
		r = make_cells(opts, m, err);
	if (r < 0)
		check_matrix_deinit(m);
	return r;
}

void check_matrix_deinit(struct check_matrix *matrix)
{
	for (size_t i = 0; i < matrix->nr_cells; i++)
		json_decref(matrix->cells[i].results);
	free(matrix->cells);
	free(matrix->scenarios);
	*matrix = (struct check_matrix){ 0 };
}

struct check_cell *check_matrix_find(struct check_matrix *matrix, const char *test)
{
	for (size_t i = 0; i < matrix->nr_cells; i++)
		if (!strcmp(matrix->cells[i].name, test))
			return &matrix->cells[i];
	return NULL;
}

int check_matrix_add(struct check_matrix *matrix, const struct result *result)
{
	struct check_cell *cell = check_matrix_find(matrix, result->name);

	if (!cell)
		return 0;
	cell->counts[result->verdict]++;
	if (result->verdict == KTSTR_PASS)
		return 0;
	return json_array_append_new(cell->results, result_to_json(result)) < 0 ? -ENOMEM : 0;
}
