// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Every FAIL says what held the CPUs, or that the records do not say it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "tests/unit/test_judge_stream.h"

#define CPUS_0_3                                                                                     \
	"; in that step CPUs 0-3 ran pigs/0 (50 %), hogs/0 (30 %), idle (10 %), kworker/0:1 (2 %), " \
	"others (8 %); CPU 0 was idle for 100 ms of 1.00 s"
#define CPUS_5_7    "; in that step CPUs 5-7 ran once/0 (50 %), rcu_preempt (30 %), idle (10 %)"
#define NO_CPUS_0_3 "; the records do not say what ran on CPUs 0-3"
#define NO_CPUS_5_7 "; the records do not say what ran on CPUs 5-7"
#define HELD_0_3    " while CPUs 0-3 ran pigs/0 (75 %), idle (25 %)"
#define HELD_5_7    " while CPUs 5-7 ran pigs/0 (100 %)"

static json_t *wait_of(const char *work, int index)
{
	return made_find(records, "wait", work, index);
}

/* A wait with those who held its CPUs. */
static void long_wait(const char *work, int index)
{
	json_t *wait = wait_of(work, index);

	made_set(wait, "wait_ns", "800000000");
	made_set(
		wait, "holders",
		"[{\"who\": \"pigs/0\", \"ns\": 2400000000}, {\"who\": \"idle\", \"ns\": 800000000}]");
	made_set(wait, "idle_ns", "700000000");
}

static void stalled(void)
{
	made_eject("5950000000");
	long_wait("hogs", 2);
}

static void strayed(void)
{
	made_set(worker("hogs", 2), "outside", "\"5\"");
}

static void stuck(void)
{
	json_t *once = worker("once", 0);

	made_set(once, "state", "\"running\"");
	json_object_del(once, "exit");
	made_set(once, "iterations", "0");
	made_set(once, "units", "0");
	made_set(once, "cpu_ns", "0");
	made_set(wait_of("once", 0), "holders", "[{\"who\": \"pigs/0\", \"ns\": 30000000}]");
}

static void limited(void)
{
	json_t *end = made_find(records, "step_end", NULL, -1);

	made_set(end, "ended", "\"limit\"");
	made_set(end, "event", "\"iterations hogs 5000\"");
}

static void starved(void)
{
	made_set(worker("hogs", 1), "iterations", "0");
	made_set(worker("hogs", 1), "units", "0");
	made_set(worker("hogs", 1), "cpu_ns", "0");
	long_wait("hogs", 1);
}

static void gaped(void)
{
	made_set(worker("hogs", 1), "gap_ns", "812000000");
	long_wait("hogs", 1);
}

static void waited(void)
{
	long_wait("hogs", 1);
}

static void woke_late(void)
{
	json_t *wakes = json_object_get(worker("naps", 1), "wakes");

	made_set(wakes, "p50_ns", "60000");
	made_set(wakes, "p99_ns", "900000");
	made_set(wakes, "max_ns", "4000000");
	made_set(wait_of("naps", 1), "holders", "[{\"who\": \"pigs/0\", \"ns\": 30000000}]");
}

static void unequal(void)
{
	made_set(worker("hogs", 1), "cpu_ns", "50000000");
}

static void unfair(void)
{
	made_set(made_cgroup(records, "left"), "usage_ns", "2000000000");
	made_set(made_cgroup(records, "right"), "usage_ns", "2000000000");
}

static void greedy(void)
{
	made_set(made_cgroup(records, "cap"), "usage_ns", "640000000");
}

static void cheated(void)
{
	made_set(made_cgroup(records, "cap"), "usage_ns", "340000000");
	made_set(made_cgroup(records, "cap"), "throttled_ns", "300000000");
}

static void poor(void)
{
	for (int i = 0; i < 4; i++) {
		made_set(worker("hogs", i), "cpu_ns", "100000000");
		made_set(wait_of("hogs", i), "waits_ns", "600000000");
	}
}

static void rich(void)
{
	for (int i = 0; i < 4; i++)
		made_set(worker("hogs", i), "cpu_ns", "500000000");
}

static void slow(void)
{
	made_set(worker("naps", 0), "iterations", "100");
	made_set(worker("naps", 1), "iterations", "200");
}

static void restless(void)
{
	made_set(worker("hogs", 0), "migrations", "700");
}

static void kicked(void)
{
	made_set(made_find(records, "cpu", NULL, -1), "kicks", "90000");
}

static void far(void)
{
	made_set(worker("naps", 0), "remote_ns", "36000000");
	made_set(worker("naps", 0), "near", "\"5-6\"");
}

static void moved(void)
{
	made_set(worker("ice", 0), "frozen_iterations", "4");
}

static const struct row {
	const char *check;
	void (*spoil)(void);
	const char *known, *unknown; /* with evidence and without */
} rows[] = {
	{ "scheduler_alive", stalled,
	  "; it waited 800 ms from 0.100 s on" HELD_0_3
	  "; CPU 3 was idle for 700 ms at a stretch while it waited",
	  " s after the first step began" NO_CPUS_0_3 },
	{ "isolation", strayed, CPUS_0_3, NO_CPUS_0_3 },
	{ "completion", stuck, "; it waited 10 ms from 0.100 s on" HELD_5_7,
	  " of step 'load'" NO_CPUS_5_7 },
	{ "step_ends", limited, " with 1000 iterations" CPUS_0_3, NO_CPUS_0_3 },
	{ "progress", starved, ", and waited 800 ms from 0.100 s on" HELD_0_3, NO_CPUS_0_3 },
	{ "gap_ns", gaped, "; for 800 ms from 0.100 s on it waited" HELD_0_3, NO_CPUS_0_3 },
	{ "wait_ns", waited,
	  " from 0.100 s on" HELD_0_3 "; CPU 3 was idle for 700 ms at a stretch while it waited",
	  NO_CPUS_0_3 },
	{ "wake_p50_ns", woke_late,
	  "(bound: at most 50 us), the longest 4.000 ms at 0.500 s; its longest wait for a CPU was "
	  "10 ms from 0.100 s on" HELD_5_7,
	  " at 0.500 s" NO_CPUS_5_7 },
	{ "wake_p99_ns", woke_late, HELD_5_7, NO_CPUS_5_7 },
	{ "wake_max_ns", woke_late, "4.000 ms (bound: at most 1 ms) at 0.500 s; its longest wait",
	  NO_CPUS_5_7 },
	{ "spread_percent", unequal, CPUS_0_3, NO_CPUS_0_3 },
	{ "weight_error_percent", unfair,
	  "(bound: at most 20 %); cgroup right (pigs: spin) of weight 300 got 2000.0 ms" CPUS_0_3,
	  NO_CPUS_0_3 },
	{ "quota_percent", greedy,
	  "108 % (bound: at most 105 %), and the kernel never throttled it; in that step CPU 4 ran "
	  "capped/0 (50 %)",
	  "; the records do not say what ran on CPU 4" },
	{ "quota_use_percent", cheated,
	  "85 % (bound: at least 90 %), and the kernel throttled it for 300 ms; in that step CPU 4 "
	  "ran capped/0 (50 %), rcu_preempt (30 %), idle (10 %)",
	  "; the records do not say what ran on CPU 4" },
	{ "cpu_share_percent", poor, "(bound: at least 20 %), and waited 2.40 s in all" CPUS_0_3,
	  NO_CPUS_0_3 },
	{ "cpu_share_max_percent", rich, "2.00 s of 4.00 s (bound: at most 30 %)" CPUS_0_3,
	  NO_CPUS_0_3 },
	{ "iterations_per_s", slow, "(bound: at least 1500/s)" CPUS_5_7, NO_CPUS_5_7 },
	{ "idle_while_waiting_ns", waited,
	  "hogs/1 (spin in left, allowed 0-3) waited, 800 ms in all" HELD_0_3, NO_CPUS_0_3 },
	{ "migrations_per_s", restless, "(bound: at most 10/s)" CPUS_0_3, NO_CPUS_0_3 },
	{ "kicks_per_s", kicked,
	  "(bound: at most 1000/s); in that step CPU 0 ran pigs/0 (50 %), hogs/0 (30 %), idle (10 "
	  "%)",
	  "; the records do not say what ran on CPU 0" },
	{ "local_percent", far, "(bound: at least 80 %); in that step CPUs 5-6 ran once/0 (50 %)",
	  "; the records do not say what ran on CPUs 5-6" },
	{ "frozen", moved, CPUS_5_7, NO_CPUS_5_7 },
};

/* Nothing says any more who ran where. */
static void forget(void)
{
	json_t *object;
	size_t i;

	json_array_foreach(records, i, object)
	{
		json_object_del(object, "ran");
		json_object_del(object, "busy_ns");
		json_object_del(object, "idle_ns");
		if (json_object_get(object, "holders")) {
			made_set(object, "holders", "[]");
			made_set(object, "idle_ns", "700000000");
		}
	}
}

static void every_check_names_who_held_the_cpus(void **state)
{
	assert_int_equal(ARRAY_SIZE(rows), KTSTR_JUDGE_CHECKS - 1);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		rows[i].spoil();
		expect(rows[i].check, KTSTR_FAIL, rows[i].known);
		made_tear_down(state);
		made_set_up(state);
	}
}

static void what_is_not_known_is_said(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		rows[i].spoil();
		forget();
		expect(rows[i].check, KTSTR_FAIL, rows[i].unknown);
		made_tear_down(state);
		made_set_up(state);
	}
}

static json_t *cpu_record(int cpu)
{
	json_t *object;
	size_t i;

	json_array_foreach(records, i, object)
	{
		if (json_integer_value(json_object_get(object, "cpu")) == cpu &&
		    json_object_get(object, "online"))
			return object;
	}
	abort();
}

/* What a FAIL of @check does not say. */
static void expect_without(const char *check, const char *text)
{
	const struct judge_finding *f;
	struct judge_findings findings;

	assert_int_equal(judge_run(records, true, &made_host, &findings), 0);
	f = made_finding(&findings, check);
	assert_non_null(f);
	assert_int_equal(f->verdict, KTSTR_FAIL);
	if (strstr(f->text, text))
		fail_msg("%s says '%s': %s", check, text, f->text);
}

static void the_idlest_cpu_is_named(void **state)
{
	(void)state;
	poor();
	made_set(cpu_record(2), "idle_ns", "970000000");
	made_set(cpu_record(2), "busy_ns", "30000000");
	made_set(cpu_record(2), "ran", "[]");
	expect("cpu_share_percent", KTSTR_FAIL,
	       "ran pigs/0 (38 %), idle (32 %), hogs/0 (22 %), kworker/0:1 (2 %), others (7 %); CPU 2 "
	       "was idle for 970 ms of 1.00 s");
}

/* A CPU of which nothing is known, and one of which only its idle time is. */
static void a_little_idle_time_is_no_word_worth(void **state)
{
	(void)state;
	poor();
	for (int cpu = 0; cpu < 4; cpu++) {
		made_set(cpu_record(cpu), "idle_ns", "40000000");
		made_set(cpu_record(cpu), "busy_ns", "960000000");
	}
	expect("cpu_share_percent", KTSTR_FAIL, "idle (4 %)");
	expect_without("cpu_share_percent", "was idle");
	waited();
	made_set(wait_of("hogs", 1), "idle_ns", "30000000");
	expect_without("wait_ns", "was idle");
	made_set(wait_of("hogs", 1), "idle_ns", "50000000");
	expect("wait_ns", KTSTR_FAIL, "; CPU 3 was idle for 50 ms at a stretch");
	long_wait("naps", 1);
	woke_late();
	made_set(wait_of("naps", 1), "wait_ns", "2000000");
	made_set(wait_of("naps", 1), "idle_ns", "900000");
	expect_without("wake_p50_ns", "was idle");
}

static void sums_that_are_not_known_are_not_told(void **state)
{
	(void)state;
	poor();
	made_set(wait_of("hogs", 3), "lost", "1");
	expect_without("cpu_share_percent", "in all");
	for (int i = 0; i < 4; i++) {
		made_set(wait_of("hogs", i), "waits_ns", "0");
		made_set(wait_of("hogs", i), "lost", "0");
	}
	expect_without("cpu_share_percent", "in all");
	unequal();
	made_set(wait_of("hogs", 1), "waits_ns", "700000000");
	expect("spread_percent", KTSTR_FAIL, "; hogs/1 waited 700 ms of 1.00 s" CPUS_0_3);
	made_set(wait_of("hogs", 1), "lost", "1");
	expect_without("spread_percent", "; hogs/1 waited");
}

/* Says of the second step that another ran on all its CPUs. */
static void replace_who_ran_later(void)
{
	json_t *object;
	size_t i;

	json_array_foreach(records, i, object)
	{
		if (json_object_get(object, "ran") &&
		    json_integer_value(json_object_get(object, "step")) == 1)
			made_set(object, "ran", "[{\"who\": \"later\", \"ns\": 900000000}]");
	}
}

static void each_step_has_its_own(void **state)
{
	json_t *gone = json_array_get(records, json_array_size(records) - 2);

	(void)state;
	made_add_step();
	replace_who_ran_later();
	stalled();
	made_set(made_in_second_step("worker", "work", "hogs", 2), "cgroup", "\"right\"");
	expect("scheduler_alive", KTSTR_FAIL, "that task is hogs/2 (spin in left, allowed 0-3)");
	made_set(gone, "at_ns", "6900000000");
	expect("scheduler_alive", KTSTR_FAIL, "that task is hogs/2 (spin in right, allowed 0-3)");
	made_set(gone, "message", "\"kworker/0:1[11] failed to run for 2.432s\"");
	expect("scheduler_alive", KTSTR_FAIL, "; in that step CPUs 0-7 ran later (90 %)");
	made_set(gone, "at_ns", "5950000000");
	expect("scheduler_alive", KTSTR_FAIL, "; in that step CPUs 0-7 ran pigs/0 (25 %)");
	strayed();
	expect("isolation", KTSTR_FAIL, CPUS_0_3);
	made_set(made_in_second_step("cgroup", "cgroup", "cap", 0), "usage_ns", "640000000");
	expect("quota_percent", KTSTR_FAIL, "cgroup cap (capped: spin) used");
}

static void only_stalls_are_about_cpus(void **state)
{
	(void)state;
	stalled();
	made_set(json_array_get(records, json_array_size(records) - 2), "story", "\"error\"");
	expect("scheduler_alive", KTSTR_FAIL, "that task is hogs/2");
	expect_without("scheduler_alive", " ran ");
}

static void few_rows_of_a_cgroup_are_named(void **state)
{
	(void)state;
	greedy();
	made_set(made_find(records, "work", "naps", -1), "cgroup", "\"cap/a\"");
	made_set(made_find(records, "work", "once", -1), "cgroup", "\"caps\"");
	expect("quota_percent", KTSTR_FAIL, "cgroup cap (capped: spin, naps: timer) used");
	made_set(made_find(records, "work", "once", -1), "cgroup", "\"cap\"");
	expect("quota_percent", KTSTR_FAIL, "cgroup cap (capped: spin, naps: timer, ...) used");
}

static void few_who_share_are_named(void **state)
{
	(void)state;
	unfair();
	made_set(made_cgroup(records, "cap"), "cpus", "\"0-3\"");
	made_set(made_cgroup(records, "cap"), "quota_ns", "0");
	made_set(made_cgroup(records, "side"), "cpus", "\"0-3\"");
	made_set(made_cgroup(records, "side"), "busy", "true");
	expect("weight_error_percent", KTSTR_FAIL,
	       "that 4 shared; its weight gives it 825.0 ms, from which that is 138 % off (bound: at most "
	       "20 %); cgroup right (pigs: spin) of weight 300 got 2000.0 ms, cgroup cap (capped: spin) "
	       "of weight 100 got 500.0 ms" CPUS_0_3);
}

static void who_has_no_weight_is_idle(void **state)
{
	(void)state;
	unfair();
	made_set(made_cgroup(records, "right"), "weight", "0");
	expect("weight_error_percent", KTSTR_FAIL, "cgroup right (pigs: spin) with cpu.idle got");
}

static void one_is_not_many(void **state)
{
	(void)state;
	made_set(worker("capped", 0), "remote_ns", "90000000");
	expect("local_percent", KTSTR_FAIL, "1 worker of capped (spin in cap, allowed 4) ran");
}

static void time_that_is_not_known_is_not_told(void **state)
{
	(void)state;
	made_set(worker("once", 0), "exit", "3");
	json_object_del(worker("once", 0), "cpu_ns");
	expect("completion", KTSTR_FAIL, " ended with exit status 3 in 1.00 s of step 'load'");
}

static void workers_outside_all_cgroups_are_in_none(void **state)
{
	(void)state;
	strayed();
	made_set(worker("hogs", 2), "cgroup", "\"\"");
	expect("isolation", KTSTR_FAIL, "hogs/2 (spin, allowed 0-3) ran on CPU 5");
}

static void memory_without_a_node_names_all_cpus(void **state)
{
	(void)state;
	far();
	json_object_del(worker("naps", 0), "near");
	expect("local_percent", KTSTR_FAIL, CPUS_5_7);
	made_set(worker("naps", 0), "near", "\"4-6\"");
	expect("local_percent", KTSTR_FAIL, "; in that step CPUs 5-6 ran once/0 (50 %)");
}

static void a_part_may_be_unknown(void **state)
{
	(void)state;
	poor();
	json_object_del(cpu_record(3), "busy_ns");
	json_object_del(cpu_record(2), "ran");
	expect("cpu_share_percent", KTSTR_FAIL,
	       "ran pigs/0 (25 %), hogs/0 (15 %), idle (8 %), kworker/0:1 (1 %), others (4 %), not "
	       "known (48 %); CPU 0");
}

static void a_wait_outside_the_gap_does_not_explain_it(void **state)
{
	(void)state;
	gaped();
	made_set(wait_of("hogs", 1), "begin_ns", "5912000000");
	made_set(wait_of("hogs", 1), "wait_ns", "88000000");
	expect("gap_ns", KTSTR_FAIL, ", on CPU 2" CPUS_0_3);
	made_set(wait_of("hogs", 1), "begin_ns", "5012000000");
	expect("gap_ns", KTSTR_FAIL, ", on CPU 2" CPUS_0_3);
}

static void the_beginning_of_a_wait_may_be_forgotten(void **state)
{
	json_t *wait = wait_of("hogs", 1);

	(void)state;
	waited();
	made_set(wait, "holders",
		 "[{\"who\": \"a\", \"ns\": 320000000}, {\"who\": \"b\", \"ns\": 320000000},"
		 " {\"who\": \"c\", \"ns\": 320000000}, {\"who\": \"d\", \"ns\": 320000000},"
		 " {\"who\": \"e\", \"ns\": 320000000}, {\"who\": \"f\", \"ns\": 320000000}]");
	expect("wait_ns", KTSTR_FAIL, "d (10 %), e (10 %), others (10 %), not known (40 %)");
	made_set(wait, "held_ns", "2880000000");
	expect("wait_ns", KTSTR_FAIL, "e (10 %), others (40 %), not known (10 %)");
}

static void a_stall_of_a_stranger_shows_all_cpus(void **state)
{
	(void)state;
	stalled();
	made_set(json_array_get(records, json_array_size(records) - 2), "message",
		 "\"kworker/0:1[11] failed to run for 2.432s\"");
	expect("scheduler_alive", KTSTR_FAIL,
	       "; in that step CPUs 0-7 ran pigs/0 (25 %), once/0 (19 %), hogs/0 (15 %)");
}

static void what_makes_no_sense_is_damage(void **state)
{
	static const struct {
		const char *kind, *key, *value, *says;
	} broken[] = {
		{ "cpu", "ran", "7", "'ran' is missing or too long" },
		{ "cpu", "cpu", "256", "there is no CPU of that number" },
		{ "cpu", "cpu", "4294967296", "there is no CPU of that number" },
		{ "cpu", "ran", "[{\"who\": \"a\"}]", "'ns' is missing" },
		{ "wait", "held_ns", "true", "'held_ns' is not of the form" },
		{ "wait", "waits_ns", "-1", "'waits_ns' is not of the form" },
		{ "worker", "near", "\"x\"", "'near' is no list of CPUs" },
		{ "worker", "outside", "\"x\"", "'outside' is no list of CPUs" },
	};
	json_t *many;

	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		made_set(made_find(records, broken[i].kind, NULL, -1), broken[i].key,
			 broken[i].value);
		expect("", KTSTR_ERROR, broken[i].says);
		made_tear_down(state);
		made_set_up(state);
	}
	many = json_object_get(cpu_record(0), "ran");
	while (json_array_size(many) <= 8)
		json_array_append(many, json_array_get(many, 0));
	expect("", KTSTR_ERROR, "'ran' is missing or too long");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_check_names_who_held_the_cpus, made_set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(what_is_not_known_is_said, made_set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(the_idlest_cpu_is_named, made_set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(a_little_idle_time_is_no_word_worth, made_set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(sums_that_are_not_known_are_not_told, made_set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(each_step_has_its_own, made_set_up, made_tear_down),
		cmocka_unit_test_setup_teardown(only_stalls_are_about_cpus, made_set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(few_rows_of_a_cgroup_are_named, made_set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(few_who_share_are_named, made_set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(who_has_no_weight_is_idle, made_set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(one_is_not_many, made_set_up, made_tear_down),
		cmocka_unit_test_setup_teardown(time_that_is_not_known_is_not_told, made_set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(workers_outside_all_cgroups_are_in_none,
						made_set_up, made_tear_down),
		cmocka_unit_test_setup_teardown(memory_without_a_node_names_all_cpus, made_set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(a_part_may_be_unknown, made_set_up, made_tear_down),
		cmocka_unit_test_setup_teardown(a_wait_outside_the_gap_does_not_explain_it,
						made_set_up, made_tear_down),
		cmocka_unit_test_setup_teardown(the_beginning_of_a_wait_may_be_forgotten,
						made_set_up, made_tear_down),
		cmocka_unit_test_setup_teardown(a_stall_of_a_stranger_shows_all_cpus, made_set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(what_makes_no_sense_is_damage, made_set_up,
						made_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
