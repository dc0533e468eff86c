// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/test_judge_stream.h"

static void unequal_workers_fail(void **state)
{
	(void)state;
	made_set(worker("hogs", 1), "cpu_ns", "50000000");
	made_set(worker("hogs", 2), "cpu_ns", "450000000");
	expect("spread_percent", KTSTR_FAIL,
	       "hogs/1 (spin in left, allowed 0-3) got 50.0 ms of CPU time and hogs/2 got 450.0 ms, 160 % of their mean apart");
	json_object_del(worker("hogs", 0), "cpu_ns");
	expect("spread_percent", KTSTR_UNDECIDED, "the CPU time of hogs/0 is not known");
}

static void only_equal_workers_are_compared(void **state)
{
	(void)state;
	made_set(worker("hogs", 1), "cpu_ns", "50000000");
	made_set(worker("hogs", 1), "allowed", "\"0\"");
	expect("spread_percent", KTSTR_PASS, "1 row looked at");
	made_set(worker("hogs", 1), "allowed", "\"0-3\"");
	made_set(worker("hogs", 1), "begin_ns", "5500000000");
	expect("spread_percent", KTSTR_PASS, "1 row looked at");
	made_set(made_find(records, "work", "hogs", -1), "busy", "false");
	made_set(made_find(records, "work", "pigs", -1), "busy", "false");
	expect("spread_percent", KTSTR_UNDECIDED, "sleep of their own will");
}

static void a_cpu_for_each_is_no_contest(void **state)
{
	(void)state;
	made_set(worker("hogs", 1), "cpu_ns", "50000000");
	made_set(made_find(records, "work", "pigs", -1), "busy", "false");
	expect("spread_percent", KTSTR_UNDECIDED, "there was a CPU for each");
}

static void weights_that_are_ignored_fail(void **state)
{
	(void)state;
	made_set(made_cgroup(records, "left"), "usage_ns", "2000000000");
	made_set(made_cgroup(records, "right"), "usage_ns", "2000000000");
	expect("weight_error_percent", KTSTR_FAIL,
	       "cgroup left (hogs: spin) of weight 100 got 2000.0 ms of the 4000.0 ms of CPU time that 2 shared; its weight gives it "
	       "1000.0 ms");
	made_set(made_cgroup(records, "left"), "weight", "300");
	expect("weight_error_percent", KTSTR_PASS, "");
	json_object_del(made_cgroup(records, "right"), "weight");
	expect("weight_error_percent", KTSTR_UNDECIDED, "of cgroup right is not known");
}

static void weights_need_a_contest(void **state)
{
	(void)state;
	made_set(made_cgroup(records, "left"), "usage_ns", "30000000");
	made_set(made_cgroup(records, "right"), "usage_ns", "100000000");
	expect("weight_error_percent", KTSTR_UNDECIDED,
	       "they used only 130.0 ms of CPU time together");
	made_set(made_cgroup(records, "left"), "busy", "false");
	expect("weight_error_percent", KTSTR_UNDECIDED, "nobody shares its CPUs");
}

static void small_windows_are_given_slack(void **state)
{
	json_t *cgroup = made_cgroup(records, "left");

	(void)state;
	made_set(cgroup, "usage_ns", "65000000");
	made_set(made_cgroup(records, "right"), "usage_ns", "135000000");
	made_set(cgroup, "end_ns", "5050000000");
	expect("weight_error_percent", KTSTR_PASS, "");
	made_set(cgroup, "usage_ns", "110000000");
	made_set(made_cgroup(records, "right"), "usage_ns", "90000000");
	expect("weight_error_percent", KTSTR_FAIL, "left");
}

/* The hogs become one row of nice 0 beside one of nice 5 in one cgroup, on one CPU. */
static void nice_rows(const char *nice_cpu_ns)
{
	static const char *const works[] = { "hogs", "pigs" };

	for (int k = 0; k < 2; k++) {
		made_set(made_find(records, "work", works[k], -1), "cgroup", "\"both\"");
		for (int i = 0; i < 4; i++) {
			json_t *w = worker(works[k], i);

			made_set(w, "cgroup", "\"both\"");
			made_set(w, "allowed", "\"0\"");
			made_set(w, "cpu_ns", k ? nice_cpu_ns : "188000000");
		}
	}
	made_set(made_find(records, "work", "pigs", -1), "nice", "5");
	made_set(made_cgroup(records, "left"), "busy", "false");
	made_set(made_cgroup(records, "right"), "busy", "false");
}

static void nice_of_rows_is_a_weight(void **state)
{
	(void)state;
	nice_rows("62000000");
	expect("weight_error_percent", KTSTR_PASS, "1 cgroup looked at");
	nice_rows("188000000");
	expect("weight_error_percent", KTSTR_FAIL,
	       "4 workers of pigs (spin in both, allowed 0) with nice 5 got 752.0 ms of the 1504.0 ms of CPU time that 2 shared; its weight gives it "
	       "370.7 ms");
	json_object_del(worker("pigs", 2), "cpu_ns");
	expect("weight_error_percent", KTSTR_UNDECIDED, "pigs/2 is not known");
}

static void quotas_that_are_exceeded_fail(void **state)
{
	json_t *cap = made_cgroup(records, "cap");

	(void)state;
	made_set(cap, "usage_ns", "620000000");
	expect("quota_percent", KTSTR_PASS, "");
	made_set(cap, "usage_ns", "640000000");
	expect("quota_percent", KTSTR_FAIL,
	       "cgroup cap (capped: spin) used 640.0 ms of CPU time in 1000.0 ms; cpu.max gives it 50 of every 100 "
	       "ms");
	json_object_del(cap, "usage_ns");
	expect("quota_percent", KTSTR_UNDECIDED, "the CPU time of cgroup cap is not known");
	made_set(cap, "quota_ns", "0");
	expect("quota_percent", KTSTR_UNDECIDED, "there is no quota");
}

static void quotas_that_are_not_given_fail(void **state)
{
	json_t *cap = made_cgroup(records, "cap");

	(void)state;
	made_set(cap, "usage_ns", "370000000");
	expect("quota_use_percent", KTSTR_PASS, "");
	made_set(cap, "usage_ns", "340000000");
	expect("quota_use_percent", KTSTR_FAIL, "cgroup cap (capped: spin) used 340.0 ms");
	made_set(worker("naps", 0), "allowed", "\"4\"");
	expect("quota_use_percent", KTSTR_UNDECIDED, "others want the same CPUs");
	made_set(worker("naps", 0), "allowed", "\"5\"");
	made_set(cap, "busy", "false");
	expect("quota_use_percent", KTSTR_UNDECIDED, "does not use all it may");
}

static void shares_are_of_what_there_was(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		made_set(worker("hogs", i), "cpu_ns", "100000000");
	expect("cpu_share_percent", KTSTR_FAIL,
	       "4 workers of hogs (spin in left, allowed 0-3) used 10 % of what there was for them, 400 ms "
	       "of 4.00 s (bound: at least 20 %)");
	expect("cpu_share_max_percent", KTSTR_PASS, "");
	for (int i = 0; i < 4; i++)
		made_set(worker("hogs", i), "cpu_ns", "500000000");
	expect("cpu_share_max_percent", KTSTR_FAIL, "used 50 % of what");
	expect("cpu_share_percent", KTSTR_PASS, "");
	json_object_del(worker("hogs", 3), "cpu_ns");
	expect("cpu_share_percent", KTSTR_UNDECIDED, "the CPU time of hogs/3 is not known");
}

static void slow_rows_fail(void **state)
{
	(void)state;
	made_set(worker("naps", 0), "iterations", "100");
	made_set(worker("naps", 1), "iterations", "200");
	expect("iterations_per_s", KTSTR_FAIL,
	       "2 workers of naps (timer in side, allowed 5-7) did 300 iterations in 1.000 s, 300 a second");
	json_object_del(worker("naps", 1), "iterations");
	expect("iterations_per_s", KTSTR_UNDECIDED, "what naps/1 got done is not known");
}

static void far_memory_fails(void **state)
{
	(void)state;
	made_set(worker("naps", 0), "remote_ns", "36000000");
	expect("local_percent", KTSTR_FAIL,
	       "2 workers of naps (timer in side, allowed 5-7) ran 32.7 % of their time near their memory");
	json_object_del(worker("naps", 0), "local_ns");
	expect("local_percent", KTSTR_UNDECIDED, "how near to its memory naps/0 ran");
}

static void restless_workers_fail(void **state)
{
	(void)state;
	made_set(worker("hogs", 0), "migrations", "700");
	expect("migrations_per_s", KTSTR_FAIL,
	       "hogs/0 (spin in left, allowed 0-3) changed its CPU 700 times in 1.00 s, 700 times a second");
	json_object_del(worker("hogs", 0), "migrations");
	expect("migrations_per_s", KTSTR_UNDECIDED, "is not known");
}

static void kicked_cpus_fail(void **state)
{
	json_t *cpu = made_find(records, "cpu", NULL, -1);

	(void)state;
	made_set(cpu, "kicks", "90000");
	expect("kicks_per_s", KTSTR_FAIL, "CPU 0 was interrupted 90000 times to reschedule");
	json_object_del(cpu, "kicks");
	expect("kicks_per_s", KTSTR_UNDECIDED, "is not known");
	made_set(cpu, "online", "false");
	expect("kicks_per_s", KTSTR_PASS, "7 CPUs looked at");
}

static void late_wake_ups_fail(void **state)
{
	json_t *wakes = json_object_get(worker("naps", 1), "wakes");

	(void)state;
	made_set(wakes, "p50_ns", "60000");
	made_set(wakes, "p99_ns", "900000");
	made_set(wakes, "max_ns", "4000000");
	expect("wake_p50_ns", KTSTR_FAIL,
	       "naps/1 (timer in side, allowed 5-7): the median of 500 times from wake-up to running is 0.060 ms");
	expect("wake_p99_ns", KTSTR_FAIL, "the 99th percentile of 500 times");
	expect("wake_max_ns", KTSTR_FAIL, "the longest of 500 times");
}

static void few_wake_ups_are_no_percentile(void **state)
{
	json_t *nap = worker("naps", 1);

	(void)state;
	made_set(json_object_get(nap, "wakes"), "count", "150");
	expect("wake_p50_ns", KTSTR_PASS, "");
	expect("wake_p99_ns", KTSTR_UNDECIDED,
	       "naps/1 has only 150 wake-ups; its 99th percentile takes 200");
	made_set(json_object_get(nap, "wakes"), "count", "10");
	expect("wake_p50_ns", KTSTR_UNDECIDED, "takes 20");
	json_object_del(nap, "wakes");
	expect("wake_max_ns", KTSTR_UNDECIDED, "has only 0 wake-ups");
}

static void idle_cpus_beside_waiters_fail(void **state)
{
	json_t *wait = made_find(records, "wait", "hogs", 2);

	(void)state;
	made_set(wait, "wait_ns", "60000000");
	made_set(wait, "idle_ns", "55000000");
	expect("idle_while_waiting_ns", KTSTR_FAIL,
	       "CPU 3 was idle for 55 ms (bound: at most 10 ms) from 0.102 s on while hogs/2 (spin in left, "
	       "allowed 0-3) waited, 60 ms in all while CPUs 0-3 ran pigs/0 (12 %), idle (4 %), not known (83 %)");
	made_set(made_find(records, "work", "hogs", -1), "policy", "\"deadline:2ms/10ms/20ms\"");
	expect("idle_while_waiting_ns", KTSTR_PASS, "7 workers looked at");
	made_set(made_find(records, "wait", "capped", 0), "idle_ns", "90000000");
	expect("idle_while_waiting_ns", KTSTR_PASS, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(unequal_workers_fail, made_set_up, made_tear_down),
		cmocka_unit_test_setup_teardown(only_equal_workers_are_compared, made_set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(a_cpu_for_each_is_no_contest, made_set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(weights_that_are_ignored_fail, made_set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(weights_need_a_contest, made_set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(small_windows_are_given_slack, made_set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(nice_of_rows_is_a_weight, made_set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(quotas_that_are_exceeded_fail, made_set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(quotas_that_are_not_given_fail, made_set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(shares_are_of_what_there_was, made_set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(slow_rows_fail, made_set_up, made_tear_down),
		cmocka_unit_test_setup_teardown(far_memory_fails, made_set_up, made_tear_down),
		cmocka_unit_test_setup_teardown(restless_workers_fail, made_set_up, made_tear_down),
		cmocka_unit_test_setup_teardown(kicked_cpus_fail, made_set_up, made_tear_down),
		cmocka_unit_test_setup_teardown(late_wake_ups_fail, made_set_up, made_tear_down),
		cmocka_unit_test_setup_teardown(few_wake_ups_are_no_percentile, made_set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(idle_cpus_beside_waiters_fail, made_set_up,
						made_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
