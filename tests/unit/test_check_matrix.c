// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "run/check.h"

static struct ktstr_catalogue *catalogue;
static struct check_matrix matrix;

static int make(const char *const *patterns, const char *const *topologies, struct ktstr_error *err)
{
	return check_matrix_make(
		&(struct ktstr_check_opts){ .patterns = patterns, .topologies = topologies },
		catalogue, &matrix, err);
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void all_that_fits_has_a_cell(void **unused)
{
	struct ktstr_error err;
	size_t nr = 0;

	(void)unused;
	assert_int_equal(make(NULL, WORDS("uni", "tiny-2llc"), &err), 0);
	assert_int_equal(matrix.nr_topologies, 2);
	assert_int_equal(matrix.nr_scenarios, ktstr_catalogue_nr(catalogue));
	for (size_t s = 0; s < matrix.nr_scenarios; s++)
		for (size_t t = 0; t < 2; t++)
			nr += ktstr_scenario_check(matrix.scenarios[s],
						   &matrix.topologies[t].topology, &err) == 0;
	assert_int_equal(matrix.nr_cells, nr);
	assert_true(nr < 2 * matrix.nr_scenarios);
	check_matrix_deinit(&matrix);
}

static void a_topology_is_taken_once(void **unused)
{
	struct ktstr_error err;

	(void)unused;
	assert_int_equal(make(WORDS("two_each"), WORDS("duo", "duo", "1n1l2c1t"), &err), 0);
	assert_int_equal(matrix.nr_topologies, 2);
	assert_int_equal(matrix.nr_cells, 2);
	assert_string_equal(matrix.cells[0].name, "two_each.duo");
	assert_string_equal(matrix.cells[1].name, "two_each.1n1l2c1t");
	check_matrix_deinit(&matrix);
}

static void names_of_nothing_are_refused(void **unused)
{
	static const struct {
		const char *pattern, *topology, *text;
	} rows[] = {
		{ "two_eahc", "duo", "no scenario matches 'two_eahc'; did you mean 'two_each'?" },
		{ "basc:*", "duo", "no group matches 'basc:*'; did you mean 'basic'?" },
		{ "basic:two_eahc", "duo",
		  "no scenario matches 'basic:two_eahc'; did you mean 'two_each'?" },
		{ "x*", "duo", "no scenario matches 'x*'; 'ktstr list scenarios' shows all" },
		{ "*", "duu", "no preset 'duu'; did you mean 'duo'?" },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ktstr_error err = { 0 };

		assert_int_equal(make(WORDS(rows[i].pattern), WORDS(rows[i].topology), &err),
				 -ENOENT);
		assert_string_equal(err.text, rows[i].text);
	}
}

static void what_fits_nowhere_says_why(void **unused)
{
	struct ktstr_error err = { 0 };

	(void)unused;
	assert_int_equal(make(WORDS("group:none", "two_each"), WORDS("duo"), &err), -ENOENT);
	assert_int_equal(make(WORDS("cpuset:*"), WORDS("uni"), &err), -ERANGE);
	assert_non_null(strstr(err.text, "it needs 2"));
}

static void results_find_their_cell(void **unused)
{
	struct result failed = { .name = (char *)"two_each.duo", .verdict = KTSTR_FAIL };
	struct result passed = { .name = (char *)"two_each.duo", .verdict = KTSTR_PASS };
	struct result other = { .name = (char *)"nobody.duo", .verdict = KTSTR_FAIL };
	struct ktstr_error err;

	(void)unused;
	assert_int_equal(make(WORDS("two_each"), WORDS("duo"), &err), 0);
	assert_int_equal(check_matrix_add(&matrix, &failed), 0);
	assert_int_equal(check_matrix_add(&matrix, &passed), 0);
	assert_int_equal(check_matrix_add(&matrix, &other), 0);
	assert_int_equal(matrix.cells[0].counts[KTSTR_FAIL], 1);
	assert_int_equal(matrix.cells[0].counts[KTSTR_PASS], 1);
	assert_int_equal(json_array_size(matrix.cells[0].results), 1);
	check_matrix_deinit(&matrix);
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
		cmocka_unit_test(all_that_fits_has_a_cell),
		cmocka_unit_test(a_topology_is_taken_once),
		cmocka_unit_test(names_of_nothing_are_refused),
		cmocka_unit_test(what_fits_nowhere_says_why),
		cmocka_unit_test(results_find_their_cell),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
