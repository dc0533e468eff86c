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

#include <ktstr/ctprof_condition.h>

#include "base/cleanup.h"
#include "tests/lib/made_snapshot.h"

enum { THREADS = 40 };

/* 40 threads of "app" whose wait grows from 100 to 130 each, and one of "other" that grows from
 * 1000 to 1010. */
static void populate(struct made_pair *s)
{
	for (uint32_t i = 1; i <= THREADS; i++) {
		made_put(s->a, made_thread(s->a, i, i, "app", "t", "/"), KTSTR_CTPROF_WAIT_SUM,
			 100);
		made_put(s->b, made_thread(s->b, i, i, "app", "t", "/"), KTSTR_CTPROF_WAIT_SUM,
			 130);
	}
	made_put(s->a, made_thread(s->a, 99, 99, "other", "o", "/"), KTSTR_CTPROF_WAIT_SUM, 1000);
	made_put(s->b, made_thread(s->b, 99, 99, "other", "o", "/"), KTSTR_CTPROF_WAIT_SUM, 1010);
}

static int set_up(void **state)
{
	struct made_pair *s;

	made_set_up(state);
	s = *state;
	made_at(s->b, 10);
	populate(s);
	return 0;
}

static enum ktstr_ctprof_outcome check(struct made_pair *s, enum ktstr_ctprof_boots boots,
				       const char *text, const char *finding)
{
	struct ktstr_ctprof_compare_opts opts = { .group_by = KTSTR_CTPROF_BY_PROCESS,
						  .boots = boots };
	_cleanup_ctprof_comparison_ struct ktstr_ctprof_comparison *c = NULL;
	char found[KTSTR_CTPROF_FINDING_BYTES];
	struct ktstr_ctprof_condition condition;
	enum ktstr_ctprof_outcome outcome;
	struct ktstr_error err = { 0 };

	if (ktstr_ctprof_condition_parse(text, &condition, &err) < 0)
		fail_msg("%s", err.text);
	c = made_compare(s->a, s->b, &opts);
	outcome = ktstr_ctprof_condition_check(&condition, c, found);
	if (!strstr(found, finding))
		fail_msg("%s: %s", text, found);
	return outcome;
}

static void what_is_there_is_decided(void **state)
{
	static const struct {
		const char *text, *finding;
		enum ktstr_ctprof_outcome outcome;
	} rows[] = {
		{ "wait_sum > 20%", "+24.2% is > 20%", KTSTR_CTPROF_MET },
		{ "wait_sum > 25%", "+24.2% is not > 25%", KTSTR_CTPROF_NOT_MET },
		{ "wait_sum > 1us", "+1.21us is > 1.00us", KTSTR_CTPROF_MET },
		{ "wait_sum > 1210ns", "is not > 1.21us", KTSTR_CTPROF_NOT_MET },
		{ "wait_sum >= 1210ns", "is >= 1.21us", KTSTR_CTPROF_MET },
		{ "before wait_sum < 5us", "5.00us is not < 5.00us", KTSTR_CTPROF_NOT_MET },
		{ "after wait_sum > 6us", "6.21us is > 6.00us", KTSTR_CTPROF_MET },
		{ "wait_sum > 20% in app", "wait_sum_ns of app: +30.0%", KTSTR_CTPROF_MET },
		{ "wait_sum > 20% in o*", "wait_sum_ns of other: +1.0%", KTSTR_CTPROF_NOT_MET },
		{ "wait_sum > 20% in *", "wait_sum_ns of app: +30.0%", KTSTR_CTPROF_MET },
		{ "wait_sum < 2% in process *", "wait_sum_ns of other", KTSTR_CTPROF_MET },
	};
	struct made_pair *s = *state;

	for (int boots = KTSTR_CTPROF_BOOTS_SAME; boots <= KTSTR_CTPROF_BOOTS_OTHER; boots++)
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
			assert_int_equal(check(s, boots, rows[i].text, rows[i].finding),
					 rows[i].outcome);
}

static void what_is_missing_decides_nothing(void **state)
{
	static const struct {
		const char *text, *finding;
	} rows[] = {
		{ "run_time > 1", "not there on both sides" },
		{ "run_time < 1", "not there on both sides" },
		{ "after run_time < 1", "nobody had it" },
		{ "before run_time < 1 in app", "nobody had it" },
		{ "wait_sum < 1 in nobody*", "no group matches" },
		{ "wait_sum < 1 in cgroup /", "no group matches" },
		{ "avg_wait > 1", "not there on both sides" },
		{ "wait_max > 1", "not there on both sides; it needs kernel.sched_schedstats" },
	};
	struct made_pair *s = *state;

	for (int boots = KTSTR_CTPROF_BOOTS_SAME; boots <= KTSTR_CTPROF_BOOTS_OTHER; boots++)
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
			assert_int_equal(check(s, boots, rows[i].text, rows[i].finding),
					 KTSTR_CTPROF_UNDECIDED);
}

/* Takes the value of some threads of the later side away. */
static void lose(struct made_pair *s, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		made_drop((struct ktstr_ctprof_thread *)&made_snapshot(s->b)->threads[i],
			  KTSTR_CTPROF_WAIT_SUM);
}

static void a_few_may_lack_it_but_not_many(void **state)
{
	struct made_pair *s = *state;

	lose(s, 2);
	assert_int_equal(check(s, KTSTR_CTPROF_BOOTS_OTHER, "wait_sum > 90% in app", "is not"),
			 KTSTR_CTPROF_NOT_MET);
	assert_int_equal(check(s, KTSTR_CTPROF_BOOTS_SAME, "wait_sum > 90% in app", "is not"),
			 KTSTR_CTPROF_NOT_MET);
	lose(s, 3);
	assert_int_equal(check(s, KTSTR_CTPROF_BOOTS_OTHER, "wait_sum > 90% in app", "lack it"),
			 KTSTR_CTPROF_UNDECIDED);
	assert_int_equal(check(s, KTSTR_CTPROF_BOOTS_OTHER, "wait_sum < 0% in app", "lack it"),
			 KTSTR_CTPROF_UNDECIDED);
	assert_int_equal(check(s, KTSTR_CTPROF_BOOTS_SAME, "wait_sum > 90% in app", "lack it"),
			 KTSTR_CTPROF_UNDECIDED);
	assert_int_equal(check(s, KTSTR_CTPROF_BOOTS_SAME, "after wait_sum < 1 in app", "lack it"),
			 KTSTR_CTPROF_UNDECIDED);
	/* What is missing could only add to it. */
	assert_int_equal(check(s, KTSTR_CTPROF_BOOTS_SAME, "wait_sum > 1us in app", "is > 1.00us"),
			 KTSTR_CTPROF_MET);
}

static void threads_that_ended_leave_it_open(void **state)
{
	struct made_pair *s = *state;

	for (uint32_t i = 200; i < 210; i++)
		made_put(s->a, made_thread(s->a, i, i, "app", "t", "/"), KTSTR_CTPROF_WAIT_SUM,
			 100);
	assert_int_equal(check(s, KTSTR_CTPROF_BOOTS_SAME, "wait_sum > 5us in app", "ended"),
			 KTSTR_CTPROF_UNDECIDED);
	assert_int_equal(check(s, KTSTR_CTPROF_BOOTS_SAME, "wait_sum > 1us in app", "is > 1.00us"),
			 KTSTR_CTPROF_MET);
	assert_int_equal(check(s, KTSTR_CTPROF_BOOTS_SAME, "wait_sum > 5us in other", "is not"),
			 KTSTR_CTPROF_NOT_MET);
}

static void a_restart_leaves_it_open(void **state)
{
	struct made_pair *s = *state;
	struct ktstr_ctprof_thread *t;

	t = (struct ktstr_ctprof_thread *)&made_snapshot(s->b)->threads[THREADS];
	made_put(s->b, t, KTSTR_CTPROF_WAIT_SUM, 3);
	assert_int_equal(check(s, KTSTR_CTPROF_BOOTS_SAME, "wait_sum < 0 in other", "went back"),
			 KTSTR_CTPROF_UNDECIDED);
	assert_int_equal(check(s, KTSTR_CTPROF_BOOTS_SAME, "wait_sum < 0", "is not"),
			 KTSTR_CTPROF_NOT_MET);
	for (uint32_t i = 0; i < 3; i++)
		made_put(s->b, (struct ktstr_ctprof_thread *)&made_snapshot(s->b)->threads[i],
			 KTSTR_CTPROF_WAIT_SUM, 3);
	assert_int_equal(check(s, KTSTR_CTPROF_BOOTS_SAME, "wait_sum < 0 in app", "went back"),
			 KTSTR_CTPROF_UNDECIDED);
}

static void groups_on_one_side_have_no_change(void **state)
{
	struct made_pair *s = *state;

	made_put(s->b, made_thread(s->b, 300, 300, "fresh", "f", "/"), KTSTR_CTPROF_WAIT_SUM, 7);
	assert_int_equal(check(s, KTSTR_CTPROF_BOOTS_OTHER, "wait_sum > 1 in fresh", "one side"),
			 KTSTR_CTPROF_UNDECIDED);
	assert_int_equal(check(s, KTSTR_CTPROF_BOOTS_OTHER, "wait_sum > 90% in *", "is not"),
			 KTSTR_CTPROF_NOT_MET);
	assert_int_equal(check(s, KTSTR_CTPROF_BOOTS_SAME, "wait_sum > 1 in fresh", "is > 1ns"),
			 KTSTR_CTPROF_MET);
}

#define POPULATED_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, made_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		POPULATED_TEST(what_is_there_is_decided),
		POPULATED_TEST(what_is_missing_decides_nothing),
		POPULATED_TEST(a_few_may_lack_it_but_not_many),
		POPULATED_TEST(threads_that_ended_leave_it_open),
		POPULATED_TEST(a_restart_leaves_it_open),
		POPULATED_TEST(groups_on_one_side_have_no_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
