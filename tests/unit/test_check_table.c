// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "run/check.h"
#include "run/check_worst.h"

static const struct ktstr_scenario first = { .name = "first", .group = "one" };
static const struct ktstr_scenario second = { .name = "second", .group = "one" };
static const struct ktstr_scenario third = { .name = "third_with_quite_a_long_name_of_its_own",
					     .group = "two" };
static const struct ktstr_scenario *scenarios[] = { &first, &second, &third };
static struct check_cell cells[3 * 8];
static struct check_matrix matrix;

/* A cell for each. */
static void set_up(size_t nr_topologies)
{
	memset(cells, 0, sizeof(cells));
	matrix = (struct check_matrix){ .nr_topologies = nr_topologies,
					.scenarios = scenarios,
					.nr_scenarios = 3,
					.cells = cells };
	for (size_t t = 0; t < nr_topologies; t++)
		snprintf(matrix.topologies[t].name, sizeof(matrix.topologies[t].name), "1n%zul1c1t",
			 t + 1);
	for (size_t s = 0; s < 3; s++) {
		for (size_t t = 0; t < nr_topologies; t++) {
			struct check_cell *cell = &cells[matrix.nr_cells++];

			cell->scenario = scenarios[s];
			cell->topology = &matrix.topologies[t];
			cell->results = json_array();
			snprintf(cell->name, sizeof(cell->name), "%.20s.%.20s", scenarios[s]->name,
				 cell->topology->name);
		}
	}
}

static void tear_down(void)
{
	for (size_t i = 0; i < matrix.nr_cells; i++)
		json_decref(cells[i].results);
}

static struct check_cell *cell_of(size_t scenario, size_t topology)
{
	return &cells[scenario * matrix.nr_topologies + topology];
}

static void pass(size_t scenario, size_t topology)
{
	cell_of(scenario, topology)->counts[KTSTR_PASS]++;
}

/* With a bound of 100; value < 0: one that should hold. */
static void put(size_t scenario, size_t topology, enum ktstr_verdict verdict, double value,
		const char *text)
{
	struct check_cell *cell = cell_of(scenario, topology);
	const char *word = ktstr_verdict_name(verdict);
	json_t *finding =
		json_pack("{s:s, s:s, s:s, s:s}", "check", value < 0 ? "isolation" : "gap_ns",
			  "verdict", word, "subject", "worker hogs/1", "text", text);

	if (value >= 0) {
		json_object_set_new(finding, "value", json_real(value));
		json_object_set_new(finding, "bound", json_real(100));
	}
	cell->counts[verdict]++;
	json_array_append_new(cell->results, json_pack("{s:s, s:s, s:s, s:s, s:[o]}", "id",
						       cell->name, "verdict", word, "reasons", text,
						       "rerun", "again", "findings", finding));
}

static char *table(unsigned int columns)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
	const struct totals totals = { 0 };

	check_table(&matrix, &totals, &(struct check_style){ .columns = columns }, &out);
	return strbuf_take(&out);
}

static size_t longest_line(const char *text)
{
	size_t longest = 0;

	for (; *text; text += strcspn(text, "\n") + (text[strcspn(text, "\n")] != '\0'))
		if (strcspn(text, "\n") > longest)
			longest = strcspn(text, "\n");
	return longest;
}

static size_t count(const char *text, const char *what)
{
	size_t nr = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		nr++;
	}
	return nr;
}

static void rows_stand_below_their_group(void **unused)
{
	char *text;

	(void)unused;
	set_up(2);
	pass(0, 0);
	put(0, 1, KTSTR_FAIL, 300, "hogs/1 waited");
	pass(2, 1);
	text = table(80);
	assert_non_null(strstr(text, "one: 1 passed, 1 failed\n"));
	assert_non_null(strstr(text, "two: 1 passed\n"));
	assert_non_null(strstr(text, "  first                                  pass      FAIL\n"));
	assert_non_null(strstr(text, "not run   pass\n"));
	assert_null(strstr(text, "second"));
	assert_non_null(strstr(text, "1 of 3 scenarios have no row"));
	free(text);
	tear_down();
}

static void skips_say_what_they_need(void **unused)
{
	char *text;

	(void)unused;
	set_up(2);
	put(0, 0, KTSTR_SKIP, 0, "needs A");
	put(1, 0, KTSTR_SKIP, 0, "needs B");
	put(1, 1, KTSTR_SKIP, 0, "needs B");
	put(2, 1, KTSTR_SKIP, 0, "needs B");
	put(2, 1, KTSTR_FAIL, 300, "hogs/1 waited");
	put(2, 1, KTSTR_UNDECIDED, 300, "needs B");
	text = table(80);
	assert_non_null(strstr(text,
			       "\nSKIP  3 runs: second, third_with_quite_a_long_name_of_its_own"
			       "\n  needs B\n\nSKIP  1 run: first\n  needs A\n"));
	free(text);
	tear_down();
}

/* Ten scenarios of one reason: so many names, and how many others. */
static void many_skips_are_counted(void **unused)
{
	struct ktstr_scenario many[10] = { 0 };
	char names[10][8], *text;

	(void)unused;
	set_up(1);
	for (int i = 0; i < 10; i++) {
		snprintf(names[i], sizeof(names[i]), "s%d", i);
		many[i].name = names[i];
		many[i].group = "one";
		cells[i] =
			(struct check_cell){ .scenario = &many[i],
					     .topology = &matrix.topologies[0],
					     .results = i < 3 ? cells[i].results : json_array() };
	}
	matrix.nr_cells = 10;
	for (size_t i = 0; i < 10; i++)
		put(i, 0, KTSTR_SKIP, 0, "needs A");
	text = table(80);
	assert_non_null(
		strstr(text, "SKIP  10 runs: s0, s1, s2, s3, s4, s5, s6, s7 and 2 others\n"));
	free(text);
	tear_down();
}

static void wide_tables_go_on_below(void **unused)
{
	char *text;

	(void)unused;
	set_up(8);
	for (size_t t = 0; t < 8; t++)
		for (size_t s = 0; s < 3; s++)
			pass(s, t);
	text = table(80);
	assert_true(longest_line(text) <= 80);
	assert_int_equal(count(text, "  second"), 2);
	assert_int_equal(count(text, "pass "), 24 - 6);
	free(text);
	text = table(200);
	assert_int_equal(count(text, "  second"), 1);
	free(text);
	text = table(1);
	assert_int_equal(count(text, "  second"), 8);
	free(text);
	tear_down();
}

static void the_worst_comes_first(void **unused)
{
	struct check_worst *list;

	(void)unused;
	set_up(2);
	put(0, 0, KTSTR_UNDECIDED, 900, "who knows");
	put(0, 1, KTSTR_FAIL, 150, "a");
	put(1, 0, KTSTR_FAIL, 700, "b");
	put(1, 1, KTSTR_ERROR, -1, "c");
	put(2, 0, KTSTR_FAIL, -1, "d");
	assert_int_equal(check_worst_list(&matrix, &list), 5);
	assert_string_equal(check_worst_text(&list[0]), "d");
	assert_string_equal(check_worst_text(&list[1]), "b");
	assert_true(list[1].excess > 6.99 && list[1].excess < 7.01);
	assert_string_equal(check_worst_text(&list[2]), "a");
	assert_string_equal(check_worst_text(&list[3]), "c");
	assert_string_equal(check_worst_text(&list[4]), "who knows");
	check_worst_free(list, 5);
	tear_down();
}

static void the_same_is_said_once(void **unused)
{
	struct check_worst *list;
	char *text;

	(void)unused;
	set_up(3);
	put(0, 0, KTSTR_FAIL, 200, "hogs/1 waited 2 s on CPUs 0-1");
	put(0, 2, KTSTR_FAIL, 450, "hogs/1 waited 4.50 s on CPU 3");
	put(1, 0, KTSTR_FAIL, 300, "hogs/1 waited 3 s on CPUs 0-1");
	put(1, 1, KTSTR_ERROR, -1, "exit status 2 of pid 77");
	put(2, 1, KTSTR_ERROR, -1, "exit status 2 of pid 78");
	put(2, 2, KTSTR_ERROR, -1, "another thing");
	assert_int_equal(check_worst_list(&matrix, &list), 4);
	assert_int_equal(list[0].runs, 2);
	assert_int_equal(list[0].topologies, 5);
	assert_string_equal(check_worst_text(&list[0]), "hogs/1 waited 4.50 s on CPU 3");
	assert_int_equal(list[1].runs, 1);
	assert_int_equal(list[2].runs, 2);
	assert_int_equal(list[2].scenarios, 2);
	check_worst_free(list, 4);
	text = table(80);
	assert_non_null(strstr(text, "FAIL  first.1n3l1c1t  gap_ns, 4.5 times its bound\n"
				     "  hogs/1 waited 4.50 s on CPU 3\n"
				     "  the worst of 2 runs on 1n1l1c1t, 1n3l1c1t\n"
				     "  again: again\n"));
	assert_non_null(strstr(text, "  so in 2 runs of 2 scenarios on 1n2l1c1t\n"));
	free(text);
	tear_down();
}

static void what_held_the_cpus_makes_no_other_finding(void **unused)
{
	struct check_worst *list;

	(void)unused;
	set_up(1);
	put(0, 0, KTSTR_FAIL, -1, "stall: hogs/1; it waited 2 s while CPU 0 ran idle (90 %)");
	put(1, 0, KTSTR_FAIL, -1, "stall: hogs/2; in that step CPU 0 ran pigs/0 (50 %)");
	put(2, 0, KTSTR_FAIL, -1, "exit: hogs/2; in that step CPU 0 ran pigs/0 (50 %)");
	assert_int_equal(check_worst_list(&matrix, &list), 2);
	assert_int_equal(list[0].runs, 2);
	assert_int_equal(list[1].runs, 1);
	check_worst_free(list, 2);
	tear_down();
}

/* The table of 24 runs, each with a sentence of its own. */
static char *table_of_many(enum ktstr_verdict verdict)
{
	char text_of[24], *text;

	set_up(8);
	for (size_t i = 0; i < 24; i++) {
		snprintf(text_of, sizeof(text_of), "sentence %c", (char)('a' + i));
		put(i / 8, i % 8, verdict, -1, text_of);
	}
	text = table(80);
	tear_down();
	return text;
}

static void many_are_counted(void **unused)
{
	char *text = table_of_many(KTSTR_ERROR);

	(void)unused;
	assert_int_equal(count(text, "again: "), 12);
	assert_non_null(strstr(text, "\nand 12 others, in the run folder\n"));
	free(text);
	text = table_of_many(KTSTR_SKIP);
	assert_int_equal(count(text, "  sentence "), 12);
	assert_non_null(strstr(text, "  sentence l\n\nand 12 other reasons, in the run folder\n"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(skips_say_what_they_need),
		cmocka_unit_test(many_skips_are_counted),
		cmocka_unit_test(rows_stand_below_their_group),
		cmocka_unit_test(wide_tables_go_on_below),
		cmocka_unit_test(the_worst_comes_first),
		cmocka_unit_test(the_same_is_said_once),
		cmocka_unit_test(what_held_the_cpus_makes_no_other_finding),
		cmocka_unit_test(many_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
