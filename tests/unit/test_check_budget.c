// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "run/check.h"

static struct ktstr_catalogue *catalogue;

static void make(struct check_matrix *matrix)
{
	struct ktstr_error err;

	assert_int_equal(
		check_matrix_make(&(struct ktstr_check_opts){ 0 }, catalogue, matrix, &err), 0);
}

static uint64_t cost_ns(const struct check_matrix *matrix)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < matrix->nr_cells; i++)
		sum += check_cell_cost_ns(&matrix->cells[i]);
	return sum;
}

static size_t nr_scenarios_seen(const struct check_matrix *matrix)
{
	size_t nr = 0;

	for (size_t i = 0; i < matrix->nr_cells; i++) {
		bool seen = false;

		for (size_t k = 0; k < i; k++)
			seen |= matrix->cells[k].scenario == matrix->cells[i].scenario;
		nr += !seen;
	}
	return nr;
}

static void nothing_is_over_budget(void **unused)
{
	static const uint64_t budgets[] = { 0, 1, SECS(3), SECS(20), SECS(100) };

	(void)unused;
	for (size_t i = 0; i < sizeof(budgets) / sizeof(budgets[0]); i++) {
		struct check_matrix matrix;
		size_t before;

		make(&matrix);
		before = matrix.nr_cells;
		assert_int_equal(check_matrix_fit(&matrix, budgets[i]), 0);
		assert_true(cost_ns(&matrix) <= budgets[i]);
		assert_int_equal(matrix.nr_cells + matrix.nr_left_out, before);
		check_matrix_deinit(&matrix);
	}
}

static void every_scenario_comes_first(void **unused)
{
	struct check_matrix matrix;
	size_t all;

	(void)unused;
	make(&matrix);
	all = nr_scenarios_seen(&matrix);
	/* Twice what each would take where it costs least. */
	assert_int_equal(check_matrix_fit(&matrix, 2 * all * SECS(4)), 0);
	assert_int_equal(nr_scenarios_seen(&matrix), all);
	check_matrix_deinit(&matrix);
}

static void the_choice_is_the_same_again(void **unused)
{
	struct check_matrix one, two;

	(void)unused;
	make(&one);
	make(&two);
	assert_int_equal(check_matrix_fit(&one, SECS(60)), 0);
	assert_int_equal(check_matrix_fit(&two, SECS(60)), 0);
	assert_true(one.nr_cells > 0);
	assert_int_equal(one.nr_cells, two.nr_cells);
	for (size_t i = 0; i < one.nr_cells; i++) {
		assert_string_equal(one.cells[i].name, two.cells[i].name);
		assert_ptr_equal(one.cells[i].entry.name, one.cells[i].name);
		assert_ptr_equal(one.cells[i].entry.test, &one.cells[i].test);
	}
	check_matrix_deinit(&one);
	check_matrix_deinit(&two);
}

/* With a smaller budget it is the beginning of the same order. */
static void ranks_are_an_order(void **unused)
{
	struct check_matrix all, some;
	bool taken[1024] = { false };

	(void)unused;
	make(&all);
	make(&some);
	assert_int_equal(check_matrix_fit(&all, SECS(400)), 0);
	assert_int_equal(check_matrix_fit(&some, SECS(80)), 0);
	assert_in_range(all.nr_cells, some.nr_cells + 1, 1024);
	for (size_t i = 0; i < all.nr_cells; i++) {
		assert_in_range(all.cells[i].rank, 0, all.nr_cells - 1);
		assert_false(taken[all.cells[i].rank]);
		taken[all.cells[i].rank] = true;
	}
	for (size_t i = 0; i < some.nr_cells; i++)
		for (size_t k = 0; k < all.nr_cells && some.cells[i].rank < 5; k++)
			if (all.cells[k].rank == some.cells[i].rank)
				assert_string_equal(all.cells[k].name, some.cells[i].name);
	check_matrix_deinit(&all);
	check_matrix_deinit(&some);
}

static int load(void **unused)
{
	struct ktstr_error err;

	(void)unused;
	return ktstr_catalogue_load(NULL, &catalogue, &err);
}

static int unload(void **unused)
{
	(void)unused;
	ktstr_catalogue_destroy(catalogue);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_over_budget),
		cmocka_unit_test(every_scenario_comes_first),
		cmocka_unit_test(the_choice_is_the_same_again),
		cmocka_unit_test(ranks_are_an_order),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
