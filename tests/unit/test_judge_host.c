// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/test_judge_made.h"

static json_t *records;
static struct judge_disturbance disturbance = { 4000000000, 7000000000, 0 };
static struct judge_host live;

static int set_up(void **state)
{
	(void)state;
	records = made_records(made_demands());
	disturbance = (struct judge_disturbance){ 4000000000, 7000000000, 0 };
	live = (struct judge_host){
		.nr_vcpus = 8,
		.measured = true,
		.disturbances = &disturbance,
		.nr_disturbances = 1,
	};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	json_decref(records);
	return 0;
}

static void expect(const struct judge_host *host, const char *check, enum ktstr_verdict verdict,
		   const char *text)
{
	const char *wrong = made_wrong(records, host, check, verdict, text);

	if (wrong)
		fail_msg("%s", wrong);
}

static void break_all(void)
{
	json_t *hog = made_find(records, "worker", "hogs", 1);

	made_set(hog, "gap_ns", "900000000");
	made_set(hog, "cpu_ns", "1000000");
	made_set(hog, "outside", "\"7\"");
}

static void a_quiet_host_changes_nothing(void **state)
{
	(void)state;
	expect(&live, "gap_ns", KTSTR_PASS, "");
	expect(&live, "spread_percent", KTSTR_PASS, "");
	break_all();
	expect(&live, "gap_ns", KTSTR_FAIL, "hogs/1");
	expect(&live, "spread_percent", KTSTR_FAIL, "hogs/1");
}

static void a_busy_host_leaves_faults_open(void **state)
{
	(void)state;
	disturbance.stolen_ns = 80000000;
	break_all();
	expect(&live, "gap_ns", KTSTR_UNDECIDED,
	       "the host kept a CPU of the machine from running for 80.0 of 1000.0 ms");
	expect(&live, "spread_percent", KTSTR_UNDECIDED, "80.0 of 1000.0 ms");
	expect(&live, "isolation", KTSTR_FAIL, "hogs/1");
	expect(&made_host, "gap_ns", KTSTR_FAIL, "hogs/1");
}

static void what_time_cannot_mend_still_passes(void **state)
{
	(void)state;
	disturbance.stolen_ns = 80000000;
	expect(&live, "gap_ns", KTSTR_PASS, "");
	expect(&live, "spread_percent", KTSTR_UNDECIDED, "80.0 of 1000.0 ms");
	disturbance.stolen_ns = 600000000;
	expect(&live, "gap_ns", KTSTR_UNDECIDED, "600.0 of 1000.0 ms");
}

static void half_of_a_bound_is_too_much(void **state)
{
	(void)state;
	disturbance.stolen_ns = 45000000;
	made_set(made_find(records, "worker", "hogs", 1), "gap_ns", "120000000");
	expect(&live, "gap_ns", KTSTR_FAIL, "120 ms");
	made_set(json_array_get(json_object_get(json_array_get(records, 0), "demands"), 6), "bound",
		 "80000000");
	expect(&live, "gap_ns", KTSTR_UNDECIDED, "45.0 of 1000.0 ms");
}

static void an_unwatched_host_leaves_all_open(void **state)
{
	(void)state;
	disturbance.from_ns = 5200000000;
	expect(&live, "gap_ns", KTSTR_UNDECIDED, "was not measured");
	disturbance.from_ns = 5000000000;
	live.measured = false;
	expect(&live, "gap_ns", KTSTR_UNDECIDED, "was not measured");
	expect(&live, "isolation", KTSTR_PASS, "");
	expect(&live, "step_ends", KTSTR_UNDECIDED, "was not measured");
}

static void cpus_on_one_thread_disturb_each_other(void **state)
{
	(void)state;
	live.one_thread = true;
	break_all();
	expect(&live, "gap_ns", KTSTR_UNDECIDED, "share one thread of the host");
	expect(&live, "progress", KTSTR_PASS, "");
	live.nr_vcpus = 1;
	expect(&live, "gap_ns", KTSTR_FAIL, "hogs/1");
}

static void bounds_below_a_turn_are_not_judged(void **state)
{
	struct judge_host turns = made_host;

	(void)state;
	turns.turn_ns = 1000000;
	expect(&turns, "gap_ns", KTSTR_PASS, "");
	expect(&turns, "wake_p50_ns", KTSTR_UNDECIDED, "nothing below 7 ms can be judged");
	turns.turn_ns = 20000000;
	break_all();
	expect(&turns, "gap_ns", KTSTR_UNDECIDED, "nothing below 140 ms can be judged");
	expect(&turns, "spread_percent", KTSTR_FAIL, "hogs/1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_quiet_host_changes_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_busy_host_leaves_faults_open, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_time_cannot_mend_still_passes, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(half_of_a_bound_is_too_much, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_unwatched_host_leaves_all_open, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(cpus_on_one_thread_disturb_each_other, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(bounds_below_a_turn_are_not_judged, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
