// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "check/demands.h"
#include <ktstr/test.h>

static struct model_demand merged[MODEL_DEMANDS];
static size_t nr;
static struct ktstr_error err;

static int merge(const struct ktstr_demand *scheduler, const struct ktstr_demand *test)
{
	const struct demand_layer layers[] = {
		{ "ktstr", demands_built_in, SIZE_MAX },
		{ "scheduler", scheduler, SIZE_MAX },
		{ "test", test, SIZE_MAX },
	};

	nr = 0;
	return demands_merge(layers, ARRAY_SIZE(layers), merged, &nr, &err);
}

static const struct model_demand *find(enum ktstr_check_id check, const char *work)
{
	for (size_t i = 0; i < nr; i++)
		if (merged[i].demand.check == check &&
		    (work ? merged[i].demand.work && !strcmp(merged[i].demand.work, work)
			  : !merged[i].demand.work))
			return &merged[i];
	return NULL;
}

static const struct ktstr_demand nothing[] = { { 0 } };

static void what_every_scheduler_owes_is_there(void **state)
{
	static const enum ktstr_check_id owed[] = {
		KTSTR_JUDGE_scheduler_alive,
		KTSTR_JUDGE_isolation,
		KTSTR_JUDGE_completion,
		KTSTR_JUDGE_step_ends,
		KTSTR_JUDGE_frozen,
		KTSTR_JUDGE_progress,
		KTSTR_JUDGE_gap_ns,
		KTSTR_JUDGE_wait_ns,
		KTSTR_JUDGE_idle_while_waiting_ns,
	};

	(void)state;
	assert_int_equal(merge(nothing, nothing), 0);
	assert_int_equal(nr, ARRAY_SIZE(owed));
	for (size_t i = 0; i < ARRAY_SIZE(owed); i++)
		assert_string_equal(find(owed[i], NULL)->from, "ktstr");
}

static void the_last_layer_wins(void **state)
{
	static const struct ktstr_demand scheduler[] = { KTSTR_AT_MOST(gap_ns, 5),
							 KTSTR_AT_MOST(gap_ns, 7, .work = "a"),
							 { 0 } };
	static const struct ktstr_demand test[] = { KTSTR_AT_MOST(gap_ns, 6), { 0 } };

	(void)state;
	assert_int_equal(merge(scheduler, test), 0);
	assert_true(find(KTSTR_JUDGE_gap_ns, NULL)->demand.bound == 6);
	assert_string_equal(find(KTSTR_JUDGE_gap_ns, NULL)->from, "test");
	assert_true(find(KTSTR_JUDGE_gap_ns, "a")->demand.bound == 7);
	assert_int_equal(nr, 10);
}

static void what_is_off_is_taken_back(void **state)
{
	static const struct ktstr_demand scheduler[] = {
		KTSTR_NOT_DEMANDED(gap_ns),
		{ .check = KTSTR_JUDGE_wait_ns, .off = true, .work = "a" },
		{ .check = KTSTR_JUDGE_spread_percent, .off = true },
		{ 0 },
	};

	(void)state;
	assert_int_equal(merge(scheduler, nothing), 0);
	assert_null(find(KTSTR_JUDGE_gap_ns, NULL));
	assert_null(find(KTSTR_JUDGE_spread_percent, NULL));
	assert_false(find(KTSTR_JUDGE_wait_ns, NULL)->demand.off);
	assert_true(find(KTSTR_JUDGE_wait_ns, "a")->demand.off);
	assert_int_equal(
		merge(scheduler, (const struct ktstr_demand[]){ KTSTR_AT_MOST(gap_ns, 3), { 0 } }),
		0);
	assert_true(find(KTSTR_JUDGE_gap_ns, NULL)->demand.bound == 3);
}

static void contradictions_are_named(void **state)
{
	static const struct ktstr_demand shares[] = {
		KTSTR_AT_LEAST(cpu_share_percent, 60),
		{ 0 },
	};
	static const struct ktstr_demand limits[] = {
		KTSTR_AT_MOST(cpu_share_max_percent, 50, .work = "a"),
		{ 0 },
	};
	static const struct ktstr_demand twice[] = { KTSTR_AT_MOST(gap_ns, 5),
						     KTSTR_AT_MOST(gap_ns, 6),
						     { 0 } };

	(void)state;
	assert_int_equal(merge(shares, limits), -EINVAL);
	assert_string_equal(
		err.text, "cpu_share_percent at least 60 % (all; scheduler) contradicts "
			  "cpu_share_max_percent at most 50 % (work a; test): change one of them");
	assert_int_equal(merge(twice, nothing), -EINVAL);
	assert_non_null(strstr(err.text, "gap_ns at most 0 us (all; scheduler) contradicts"));
}

static void bounds_are_numbers_from_0_on(void **state)
{
	struct ktstr_demand rows[] = { KTSTR_AT_MOST(gap_ns, -1), { 0 } };

	(void)state;
	assert_int_equal(merge(nothing, rows), -EINVAL);
	rows[0].bound = NAN;
	assert_int_equal(merge(nothing, rows), -EINVAL);
	rows[0].bound = INFINITY;
	assert_int_equal(merge(nothing, rows), -EINVAL);
	assert_non_null(strstr(err.text, "gap_ns of layer 'test'"));
	rows[0].check = KTSTR_JUDGE_CHECKS;
	assert_int_equal(merge(nothing, rows), -EINVAL);
	rows[0] = (struct ktstr_demand)KTSTR_AT_MOST(gap_ns, 0);
	assert_int_equal(merge(nothing, rows), 0);
}

static void too_many_are_refused(void **state)
{
	static char names[MODEL_DEMANDS][8];
	struct ktstr_demand rows[MODEL_DEMANDS];

	(void)state;
	for (int i = 0; i < MODEL_DEMANDS; i++) {
		snprintf(names[i], sizeof(names[i]), "w%d", i);
		rows[i] = (struct ktstr_demand)KTSTR_AT_MOST(gap_ns, 9, .work = names[i]);
	}
	assert_int_equal(demands_merge(&(struct demand_layer){ "test", rows, MODEL_DEMANDS }, 1,
				       merged, &nr, &err),
			 0);
	assert_int_equal(nr, MODEL_DEMANDS);
	assert_int_equal(
		demands_merge(
			(const struct demand_layer[]){ { "ktstr", demands_built_in, SIZE_MAX },
						       { "test", rows, MODEL_DEMANDS } },
			2, merged, &nr, &err),
		-E2BIG);
}

static void each_is_printed_with_its_origin(void **state)
{
	static const struct ktstr_demand test[] = {
		KTSTR_AT_MOST(gap_ns, MSECS(50), .work = "hogs", .step = "load"),
		KTSTR_AT_LEAST(iterations_per_s, 2.5, .cgroup = "left"),
		{ .check = KTSTR_JUDGE_wait_ns, .off = true, .work = "hogs" },
		{ 0 },
	};
	_cleanup_free_ char *text = NULL;

	(void)state;
	assert_int_equal(merge(nothing, test), 0);
	assert_int_equal(demands_print(merged, nr, &text), 0);
	assert_non_null(strstr(text, "scheduler_alive        holds                all      "
				     "                from ktstr\n"));
	assert_non_null(strstr(text, "gap_ns                 at most 1.00 s       all      "
				     "                from ktstr\n"));
	assert_non_null(strstr(text, "gap_ns                 at most 50 ms        work hogs, step "
				     "load     from test\n"));
	assert_non_null(strstr(text, "iterations_per_s       at least 2.5/s       cgroup left    "
				     "          from test\n"));
	assert_non_null(strstr(text, "wait_ns                not demanded         work hogs"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_every_scheduler_owes_is_there),
		cmocka_unit_test(the_last_layer_wins),
		cmocka_unit_test(what_is_off_is_taken_back),
		cmocka_unit_test(contradictions_are_named),
		cmocka_unit_test(bounds_are_numbers_from_0_on),
		cmocka_unit_test(too_many_are_refused),
		cmocka_unit_test(each_is_printed_with_its_origin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
