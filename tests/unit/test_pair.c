// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ktstr/ctprof_compare.h>

#include "ctprof/compare.h"
#include "tests/lib/made_snapshot.h"

static void similarity_is_a_share_of_the_union(void **state)
{
	static const uint64_t a[] = { 1, 2, 3, 4 }, b[] = { 2, 4, 5 };

	(void)state;
	assert_true(pair_jaccard(a, 4, b, 3) == 2.0 / 5);
	assert_true(pair_jaccard(a, 4, a, 4) == 1);
	assert_true(pair_jaccard(a, 4, b, 0) == 0);
	assert_true(pair_jaccard(a, 0, b, 0) == 0);
}

enum { KINDS = 20 };

static const char *kind(unsigned int i)
{
	static const char *const names[KINDS] = { "aa", "bb", "cc", "dd", "ee", "ff", "gg",
						  "hh", "ii", "jj", "kk", "ll", "mm", "nn",
						  "oo", "pp", "qq", "rr", "ss", "tt" };

	return names[i];
}

/* Threads of kinds @first to @last. */
static void fill(struct made *m, uint32_t pid, const char *cgroup, unsigned int first,
		 unsigned int last)
{
	for (unsigned int i = first; i <= last; i++)
		made_put(m, made_thread(m, pid, pid + i, "app", kind(i), cgroup),
			 KTSTR_CTPROF_RUN_TIME, 10);
}

static const struct ktstr_ctprof_group *find(const struct ktstr_ctprof_comparison *c,
					     const char *label)
{
	for (size_t i = 0; i < c->blocks[1].nr_groups; i++)
		if (!strcmp(c->blocks[1].groups[i].label, label))
			return &c->blocks[1].groups[i];
	return NULL;
}

static const struct ktstr_ctprof_compare_opts other_boots = { .group_by = KTSTR_CTPROF_BY_CGROUP,
							      .boots = KTSTR_CTPROF_BOOTS_OTHER };

#define WEB_BEFORE "/docker-0123456789abcdef.scope"
#define WEB_AFTER  "/docker-fedcba9876543210.scope"
#define DB_AFTER   "/docker-1111111111111111.scope"

static void restarted_containers_are_paired(void **state)
{
	struct ktstr_ctprof_compare_opts unpaired = other_boots;
	struct made_pair *m = *state;
	struct ktstr_ctprof_comparison *c;
	const struct ktstr_ctprof_group *g;
	int column;

	fill(m->a, 100, WEB_BEFORE, 0, 3);
	fill(m->b, 500, DB_AFTER, 2, 9);
	fill(m->b, 900, WEB_AFTER, 0, 4);
	c = made_compare(m->a, m->b, &other_boots);
	assert_int_equal(c->blocks[1].nr_groups, 2);
	g = find(c, WEB_AFTER);
	assert_non_null(g);
	assert_string_equal(g->label_before, WEB_BEFORE);
	assert_true(g->similarity == 0.8);
	assert_true(g->threads[0] == 4 && g->threads[1] == 5 && g->on[0] && g->on[1]);
	column = ktstr_ctprof_column_find(&c->blocks[1], "run_time_ns");
	assert_true(g->cells[column].delta == 10);
	g = find(c, DB_AFTER);
	assert_true(!g->on[0] && g->on[1] && !g->label_before);
	assert_int_equal(g->threads[1], 8);
	ktstr_ctprof_comparison_destroy(c);
	unpaired.no_pairing = true;
	c = made_compare(m->a, m->b, &unpaired);
	assert_int_equal(c->blocks[1].nr_groups, 3);
	ktstr_ctprof_comparison_destroy(c);
}

/* @same of ten kinds are the same in two cgroups whose paths have nothing in common. */
static bool unlike_paths_pair(unsigned int kinds, unsigned int same)
{
	struct made *a = made_create(), *b = made_create();
	struct ktstr_ctprof_comparison *c;
	bool paired;

	fill(a, 100, "/old.slice", 0, kinds - 1);
	fill(b, 500, "/fresh", kinds - same, 2 * kinds - same - 1);
	c = made_compare(a, b, &other_boots);
	paired = c->blocks[1].nr_groups == 1;
	ktstr_ctprof_comparison_destroy(c);
	made_destroy(a);
	made_destroy(b);
	return paired;
}

static void unlike_paths_need_more_evidence(void **state)
{
	(void)state;
	assert_true(unlike_paths_pair(10, 10));
	assert_false(unlike_paths_pair(9, 9));
	assert_false(unlike_paths_pair(10, 9));
}

static void nothing_in_common_is_no_pair(void **state)
{
	struct made_pair *m = *state;
	struct ktstr_ctprof_comparison *c;

	fill(m->a, 100, WEB_BEFORE, 0, 3);
	fill(m->b, 500, WEB_AFTER, 5, 9);
	c = made_compare(m->a, m->b, &other_boots);
	assert_int_equal(c->blocks[1].nr_groups, 2);
	assert_true(find(c, WEB_BEFORE)->on[0] && !find(c, WEB_BEFORE)->on[1]);
	ktstr_ctprof_comparison_destroy(c);
}

/* Where several would be as good, the path says more; where it does not, it is a guess. */
static void what_is_a_guess_is_said(void **state)
{
	static const char *const before[] = { "/pod-1/aaaaaaaaaaaaaaa1.scope",
					      "/pod-1/aaaaaaaaaaaaaaa2.scope",
					      "/pod-2/aaaaaaaaaaaaaaa3.scope",
					      "/pod-2/aaaaaaaaaaaaaaa4.scope" };
	static const char *const after[] = { "/pod-1/bbbbbbbbbbbbbbb1.scope",
					     "/pod-2/bbbbbbbbbbbbbbb2.scope",
					     "/pod-2/bbbbbbbbbbbbbbb3.scope" };
	struct made_pair *m = *state;
	struct ktstr_ctprof_comparison *c;
	const struct ktstr_ctprof_group *g;

	for (uint32_t i = 0; i < 4; i++)
		fill(m->a, 100 * (i + 1), before[i], 0, 3);
	for (uint32_t i = 0; i < 3; i++)
		fill(m->b, 100 * (i + 1), after[i], 0, 3);
	c = made_compare(m->a, m->b, &other_boots);
	assert_int_equal(c->blocks[1].nr_groups, 4);
	g = find(c, after[0]);
	assert_string_equal(g->label_before, before[0]);
	assert_int_equal(g->choices, 2);
	for (size_t i = 1; i < 3; i++) {
		g = find(c, after[i]);
		assert_string_equal(g->label_before, before[i + 1]);
		assert_int_equal(g->choices, 2);
	}
	g = find(c, before[1]);
	assert_true(g->on[0] && !g->on[1] && !g->choices);
	ktstr_ctprof_comparison_destroy(c);
}

static void too_many_are_not_paired(void **state)
{
	static char names[2][PAIR_MAX_LONERS + 1][32];
	struct made_pair *m = *state;

	for (uint32_t nr = PAIR_MAX_LONERS; nr <= PAIR_MAX_LONERS + 1; nr++) {
		struct made *a = nr == PAIR_MAX_LONERS ? m->a : made_create();
		struct made *b = nr == PAIR_MAX_LONERS ? m->b : made_create();
		struct ktstr_ctprof_comparison *c;

		for (uint32_t i = 0; i < nr; i++) {
			snprintf(names[0][i], sizeof(names[0][i]), "/aaaaaaaaaaaa%04x", i);
			snprintf(names[1][i], sizeof(names[1][i]), "/bbbbbbbbbbbb%04x", i);
			fill(a, 10 * i + 10, names[0][i], 0, 0);
			fill(b, 10 * i + 10, names[1][i], 0, 0);
		}
		c = made_compare(a, b, &other_boots);
		assert_int_equal(c->blocks[1].unpaired, nr > PAIR_MAX_LONERS);
		assert_int_equal(c->blocks[1].nr_groups, nr > PAIR_MAX_LONERS ? 2 * nr : nr);
		assert_false(c->blocks[0].unpaired);
		ktstr_ctprof_comparison_destroy(c);
		if (a != m->a) {
			made_destroy(a);
			made_destroy(b);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(similarity_is_a_share_of_the_union),
		MADE_TEST(restarted_containers_are_paired),
		cmocka_unit_test(unlike_paths_need_more_evidence),
		MADE_TEST(nothing_in_common_is_no_pair),
		MADE_TEST(what_is_a_guess_is_said),
		MADE_TEST(too_many_are_not_paired),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
