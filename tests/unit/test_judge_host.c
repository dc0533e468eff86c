// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/test_judge_stream.h"

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
	made_expect(&live, "gap_ns", KTSTR_PASS, "");
	made_expect(&live, "spread_percent", KTSTR_PASS, "");
	break_all();
	made_expect(&live, "gap_ns", KTSTR_FAIL, "hogs/1");
	made_expect(&live, "spread_percent", KTSTR_FAIL, "hogs/1");
}

static void a_busy_host_leaves_faults_open(void **state)
{
	(void)state;
	disturbance.stolen_ns = 80000000;
	break_all();
	made_expect(&live, "gap_ns", KTSTR_UNDECIDED,
		    "the host kept a CPU of the machine from running for 80.0 of 1000.0 ms");
	made_expect(&live, "spread_percent", KTSTR_UNDECIDED, "80.0 of 1000.0 ms");
	made_expect(&live, "isolation", KTSTR_FAIL, "hogs/1");
	made_expect(&made_host, "gap_ns", KTSTR_FAIL, "hogs/1");
}

static void what_time_cannot_mend_still_passes(void **state)
{
	(void)state;
	disturbance.stolen_ns = 80000000;
	made_expect(&live, "gap_ns", KTSTR_PASS, "");
	made_expect(&live, "spread_percent", KTSTR_UNDECIDED, "80.0 of 1000.0 ms");
	disturbance.stolen_ns = 600000000;
	made_expect(&live, "gap_ns", KTSTR_UNDECIDED, "600.0 of 1000.0 ms");
}

static void half_of_a_bound_is_too_much(void **state)
{
	(void)state;
	disturbance.stolen_ns = 45000000;
	made_set(made_find(records, "worker", "hogs", 1), "gap_ns", "120000000");
	made_expect(&live, "gap_ns", KTSTR_FAIL, "120 ms");
	made_set(json_array_get(json_object_get(json_array_get(records, 0), "demands"), 6), "bound",
		 "80000000");
	made_expect(&live, "gap_ns", KTSTR_UNDECIDED, "45.0 of 1000.0 ms");
}

static void an_unwatched_host_leaves_all_open(void **state)
{
	(void)state;
	disturbance.from_ns = 5200000000;
	made_expect(&live, "gap_ns", KTSTR_UNDECIDED, "was not measured");
	disturbance.from_ns = 5000000000;
	live.measured = false;
	made_expect(&live, "gap_ns", KTSTR_UNDECIDED, "was not measured");
	made_expect(&live, "isolation", KTSTR_PASS, "");
	made_expect(&live, "step_ends", KTSTR_UNDECIDED, "was not measured");
}

static void cpus_on_one_thread_disturb_each_other(void **state)
{
	(void)state;
	live.one_thread = true;
	break_all();
	made_expect(&live, "gap_ns", KTSTR_UNDECIDED, "share one thread of the host");
	made_expect(&live, "progress", KTSTR_PASS, "");
	live.nr_vcpus = 1;
	made_expect(&live, "gap_ns", KTSTR_FAIL, "hogs/1");
}

static void bounds_below_a_turn_are_not_judged(void **state)
{
	struct judge_host turns = made_host;

	(void)state;
	turns.turn_ns = 1000000;
	made_expect(&turns, "gap_ns", KTSTR_PASS, "");
	made_expect(&turns, "wake_p50_ns", KTSTR_UNDECIDED, "nothing below 7 ms can be judged");
	turns.turn_ns = 20000000;
	break_all();
	made_expect(&turns, "gap_ns", KTSTR_UNDECIDED, "nothing below 140 ms can be judged");
	made_expect(&turns, "spread_percent", KTSTR_FAIL, "hogs/1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_quiet_host_changes_nothing, set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(a_busy_host_leaves_faults_open, set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(what_time_cannot_mend_still_passes, set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(half_of_a_bound_is_too_much, set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(an_unwatched_host_leaves_all_open, set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(cpus_on_one_thread_disturb_each_other, set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(bounds_below_a_turn_are_not_judged, set_up,
						made_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
