// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "tests/unit/test_judge_stream.h"

static struct judge_findings findings;

static void judge(void)
{
	assert_int_equal(judge_run(records, true, &made_host, &findings), 0);
}

static const struct judge_finding *finding_of(const char *check)
{
	return made_finding(&findings, check);
}

static void expect_now(const char *check, enum ktstr_verdict verdict, const char *text)
{
	expect(check, verdict, text);
	judge();
}

static void expect_fail(const char *check, const char *text)
{
	expect_now(check, KTSTR_FAIL, text);
	assert_int_equal(findings.items[0].verdict, KTSTR_FAIL);
}

static bool all_passed(void)
{
	for (size_t i = 0; i < findings.nr; i++)
		if (findings.items[i].verdict != KTSTR_PASS &&
		    findings.items[i].verdict != KTSTR_SKIP)
			return false;
	return true;
}

static json_t *hog(int index)
{
	return made_find(records, "worker", "hogs", index);
}

static json_t *hog_wait(int index)
{
	return made_find(records, "wait", "hogs", index);
}

static size_t place_of(const json_t *record)
{
	json_t *object;
	size_t i;

	json_array_foreach(records, i, object)
	{
		if (object == record)
			return i;
	}
	abort();
}

static void every_check_passes_on_good_records(void **state)
{
	(void)state;
	judge();
	for (size_t i = 0; i < findings.nr; i++)
		if (findings.items[i].verdict != KTSTR_PASS)
			fail_msg("%s: %s", ktstr_check_info(findings.items[i].check)->name,
				 findings.items[i].text);
	assert_int_equal(findings.nr, KTSTR_JUDGE_CHECKS - 1);
	expect_now("gap_ns", KTSTR_PASS, "12 workers looked at, the worst with 12 ms: worker ");
}

static void an_ejected_scheduler_fails(void **state)
{
	(void)state;
	made_eject("5900000000");
	expect_fail(
		"scheduler_alive",
		"the kernel ejected mine: runnable task stall: hogs/2[102] failed to run for "
		"6.432s (exit kind 1026); that task is hogs/2 (spin in left, allowed 0-3), 0.900 s after");
	expect_now("progress", KTSTR_UNDECIDED, "broken off");
}

static void failed(const char *story, bool kernel)
{
	json_t *attached = made_find(records, "scheduler", NULL, -1);

	made_set(attached, "event", "\"failed\"");
	json_object_set_new(attached, "story", json_string(story));
	made_set(attached, "text", "\"it did not come up\"");
	if (kernel)
		made_set(attached, "reason", "\"scx_bpf_error\"");
	made_remove(records, json_array_size(records) - 2);
}

static void what_the_kernel_refuses_fails(void **state)
{
	static const char *const words[] = { "load", "refused", "stall", "error", "gone" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		failed(words[i], false);
		expect_fail("scheduler_alive", "it did not come up");
		made_tear_down(NULL);
		made_set_up(NULL);
	}
	failed("exit", true);
	expect_fail("scheduler_alive", "scx_bpf_error");
}

static void what_never_got_there_is_an_error(void **state)
{
	static const char *const words[] = { "missing", "arguments", "attach",
					     "exit",	"crash",     "forked" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		failed(words[i], false);
		expect_now("scheduler_alive", KTSTR_ERROR, "was not attached: it did not come up");
		made_tear_down(NULL);
		made_set_up(NULL);
	}
}

static void a_scheduler_must_be_heard_of(void **state)
{
	(void)state;
	made_remove(records, json_array_size(records) - 2);
	expect_now("scheduler_alive", KTSTR_UNDECIDED, "how the attached scheduler ended");
	made_remove(records, 1);
	expect_now("scheduler_alive", KTSTR_UNDECIDED,
		   "no record says that mine was ever attached");
	made_set(json_array_get(records, 0), "scheduler", "\"\"");
	expect_now("scheduler_alive", KTSTR_PASS, "");
}

static void who_ran_elsewhere_fails(void **state)
{
	(void)state;
	made_set(hog(2), "outside", "\"5,7\"");
	made_set(hog(2), "outside_ns", "30000000");
	expect_fail("isolation",
		    "hogs/2 (spin in left, allowed 0-3) ran on CPUs 5,7 for 30 ms in step 'load'");
	json_object_del(hog(2), "outside");
	expect_now("isolation", KTSTR_UNDECIDED, "where hogs/2 ran is not known");
}

static void who_crashes_or_hangs_fails(void **state)
{
	json_t *once = made_find(records, "worker", "once", 0);

	(void)state;
	made_set(once, "exit", "3");
	expect_fail(
		"completion",
		"once/0 (once in side, allowed 5-7) ended with exit status 3 after 400 ms of CPU "
		"time in 1.00 s of step 'load'");
	json_object_del(once, "exit");
	expect_now("completion", KTSTR_UNDECIDED, "how once/0 ended");
	made_set(once, "signal", "11");
	expect_fail(
		"completion",
		"once/0 (once in side, allowed 5-7) was killed by signal 11 (SEGV) after 400 ms");
	made_set(once, "state", "\"running\"");
	expect_now("completion", KTSTR_UNDECIDED, "had not come to its end");
	made_set(once, "iterations", "0");
	made_set(once, "units", "0");
	made_set(once, "cpu_ns", "0");
	expect_fail(
		"completion",
		"had got nothing done after 0 us of CPU time in 1.00 s of step 'load'; it waited 10 "
		"ms from 0.100 s on while CPUs 5-7 ran pigs/0 (75 %), idle (25 %)");
	json_object_del(once, "cpu_ns");
	expect_now("completion", KTSTR_UNDECIDED, "had not come to its end");
	made_set(once, "state", "\"missing\"");
	expect_now("completion", KTSTR_UNDECIDED, "how once/0 ended");
}

static void who_gets_nothing_done_fails(void **state)
{
	(void)state;
	made_set(hog(1), "iterations", "0");
	made_set(hog(1), "units", "0");
	made_set(hog(1), "cpu_ns", "5000");
	made_set(hog_wait(1), "wait_ns", "990000000");
	made_set(hog_wait(1), "begin_ns", "5010000000");
	made_set(hog_wait(1), "holders",
		 "[{\"who\": \"pigs/0\", \"ns\": 1980000000}, {\"who\": \"idle\", \"ns\": "
		 "1980000000}]");
	expect_fail(
		"progress",
		"hogs/1 (spin in left, allowed 0-3) did 0 iterations in 1.00 s of step 'load' (bound: at "
		"least 1 iterations), and waited 990 ms from 0.010 s on while CPUs 0-3 ran idle "
		"(50 %), pigs/0 (50 %)");
	made_set(hog(1), "cpu_ns", "20000000");
	expect_now("progress", KTSTR_PASS, "");
	json_object_del(hog(1), "iterations");
	expect_now("progress", KTSTR_UNDECIDED, "what hogs/1 got done is not known");
}

static void who_sleeps_is_not_starved(void **state)
{
	json_t *nap = made_find(records, "worker", "naps", 0);

	(void)state;
	made_set(nap, "iterations", "0");
	made_set(nap, "units", "0");
	made_set(nap, "cpu_ns", "0");
	expect_now("progress", KTSTR_UNDECIDED, "did not wait for a CPU either");
	made_set(nap, "run_delay_ns", "700000000");
	expect_fail("progress", "naps/0");
}

static void a_long_gap_fails(void **state)
{
	(void)state;
	made_set(hog(3), "gap_ns", "812000000");
	made_set(hog_wait(3), "wait_ns", "800000000");
	expect_fail(
		"gap_ns",
		"hogs/3 (spin in left, allowed 0-3) wanted to run, and gave no sign of it for 812 ms "
		"(bound: at most 100 ms) from 0.100 s on, on CPU 2; for 800 ms from 0.100 s on it "
		"waited while CPUs 0-3 ran pigs/0 (1 %), not known (99 %)");
	assert_true(finding_of("gap_ns")->has_value);
	json_object_del(hog(3), "gap_ns");
	expect_now("gap_ns", KTSTR_UNDECIDED, "the gaps of hogs/3 are not known");
}

static void a_window_too_short_says_nothing(void **state)
{
	json_t *object;
	size_t i;

	(void)state;
	json_array_foreach(records, i, object)
	{
		if (!strcmp(json_string_value(json_object_get(object, "kind")), "worker"))
			made_set(object, "end_ns", "5050000000");
	}
	expect_now("gap_ns", KTSTR_UNDECIDED, "shorter than the bound");
	made_set(hog(3), "gap_ns", "812000000");
	expect_fail("gap_ns", "812 ms");
}

/* Makes the step one of 60 ms, and puts another before it, of 60 ms, with the same hogs. */
static void two_short_steps(void)
{
	json_t *copy = json_deep_copy(records), *object;
	size_t i, place = 2;

	json_array_foreach(records, i, object)
	{
		if (json_object_get(object, "step"))
			made_set(object, "step", "1");
		if (json_object_get(object, "end_ns"))
			made_set(object, "end_ns", "5060000000");
	}
	made_set(json_array_get(records, 0), "steps", "[\"before\", \"load\"]");
	made_set(json_array_get(records, json_array_size(records) - 1), "steps", "2");
	json_array_foreach(copy, i, object)
	{
		const char *work = json_string_value(json_object_get(object, "work"));
		bool is_step = json_object_get(object, "step") && !json_object_get(object, "cpu");

		if (!is_step || (work && strcmp(work, "hogs") != 0))
			continue;
		if (json_object_get(object, "begin_ns") && !json_object_get(object, "wait_ns"))
			made_set(object, "begin_ns", "4930000000");
		if (json_object_get(object, "end_ns"))
			made_set(object, "end_ns", "4990000000");
		made_insert(records, place++, json_incref(object));
	}
	json_decref(copy);
}

/* The hogs' records that are found are those of the step before. */
static void steps_that_follow_count_together(void **state)
{
	(void)state;
	two_short_steps();
	expect_now("gap_ns", KTSTR_PASS, "4 workers looked at");
	expect_now("wait_ns", KTSTR_PASS, "4 workers looked at");
	made_set(hog(0), "gap_ns", "59000000");
	expect_now("gap_ns", KTSTR_PASS, "4 workers looked at");
	for (int i = 0; i < 4; i++)
		made_set(hog(i), "gap_ns", "80000000");
	expect_now("gap_ns", KTSTR_UNDECIDED, "shorter than the bound");
	for (int i = 0; i < 4; i++)
		json_object_del(hog(i), "gap_ns");
	expect_now("gap_ns", KTSTR_UNDECIDED, "are not known");
}

static void a_long_wait_fails(void **state)
{
	(void)state;
	made_set(hog_wait(2), "wait_ns", "812000000");
	made_set(hog_wait(2), "open", "true");
	expect_fail(
		"wait_ns",
		"hogs/2 (spin in left, allowed 0-3) waited 812 ms (bound: at most 100 ms) from 0.100 s "
		"on until the end of the step while CPUs 0-3 ran pigs/0 (1 %), not known (99 %)");
	made_set(hog_wait(2), "lost", "4");
	expect_fail("wait_ns", "812 ms");
	made_set(hog_wait(2), "wait_ns", "1000");
	expect_now("wait_ns", KTSTR_UNDECIDED, "4 events were lost");
	made_remove(records, place_of(hog_wait(2)));
	expect_now("wait_ns", KTSTR_UNDECIDED, "nothing says how long hogs/2 waited");
	made_set(json_array_get(records, 0), "watch", "\"no tracepoints\"");
	expect_now("wait_ns", KTSTR_UNDECIDED, "waits were not watched: no tracepoints");
}

static void a_limit_that_is_reached_fails(void **state)
{
	json_t *end = made_find(records, "step_end", NULL, -1);

	(void)state;
	made_set(end, "ended", "\"limit\"");
	made_set(end, "event", "\"iterations hogs 5000\"");
	made_set(hog(1), "iterations", "7");
	expect_fail("step_ends",
		    "step 'load' waited for 'iterations hogs 5000' for 1.000 s, and it did "
		    "not come; hogs/1 (spin in left, allowed 0-3) is the furthest behind, with 7 "
		    "iterations");
}

static void who_moves_while_frozen_fails(void **state)
{
	json_t *ice = made_find(records, "worker", "ice", 0);

	(void)state;
	made_set(ice, "frozen_iterations", "4");
	expect_fail(
		"frozen",
		"ice/0 (spin in ice, allowed 5-7) did 4 iterations while it was frozen, in 1.00 s of step 'load'");
	json_object_del(ice, "frozen_iterations");
	expect_now("frozen", KTSTR_UNDECIDED, "is not known");
	made_set(ice, "frozen", "false");
	expect_now("frozen", KTSTR_UNDECIDED, "nobody was frozen");
	expect_fail("progress", "ice/0");
}

static void who_left_no_record_is_undecided(void **state)
{
	(void)state;
	made_remove(records, place_of(hog_wait(3)));
	made_remove(records, place_of(hog(3)));
	expect_now("gap_ns", KTSTR_UNDECIDED, "hogs/3 left no record of step 'load'");
	expect_now("isolation", KTSTR_UNDECIDED, "hogs/3 left no record of step 'load'");
	expect_now("spread_percent", KTSTR_UNDECIDED, "hogs/3 left no record of step 'load'");
}

static void what_was_before_the_end_counts(void **state)
{
	(void)state;
	made_eject("5900000000");
	made_set(hog_wait(2), "wait_ns", "850000000");
	expect_fail(
		"wait_ns",
		"hogs/2 (spin in left, allowed 0-3) waited 800 ms (bound: at most 100 ms) from 0.100 s on");
	made_set(hog_wait(2), "begin_ns", "5850000000");
	expect_now("wait_ns", KTSTR_UNDECIDED, "broken off");
}

static void set_up_that_fails_is_an_error(void **state)
{
	json_t *end = json_array_get(records, json_array_size(records) - 1);

	(void)state;
	made_set(made_find(records, "op", NULL, -1), "error", "\"no such file\"");
	expect_now("", KTSTR_ERROR, "step 'load': freeze failed: no such file");
	made_set(made_find(records, "op", NULL, -1), "error", "\"\"");
	made_set(hog(0), "trouble", "\"setpriority -10: not permitted\"");
	expect_now("", KTSTR_ERROR, "hogs/0 is not what its row says: setpriority -10");
	json_object_del(hog(0), "trouble");
	made_set(end, "clean", "false");
	made_set(end, "left", "\"left/inner\"");
	expect_now("", KTSTR_ERROR, "could be removed: left/inner");
	made_set(hog(3), "gap_ns", "812000000");
	expect_now("", KTSTR_UNDECIDED, "could be removed: left/inner");
	made_set(hog(3), "gap_ns", "1");
	made_set(end, "clean", "true");
	made_set(end, "steps", "0");
	expect_now("", KTSTR_ERROR, "only 0 of 1 steps");
}

static void damage_is_an_error(void **state)
{
	(void)state;
	made_set(hog(0), "begin_ns", "\"soon\"");
	expect_now("", KTSTR_ERROR, "(worker): 'begin_ns' is not of the form it must have");
	assert_null(finding_of("scheduler_alive"));
	assert_int_equal(judge_run(records, false, &made_host, &findings), 0);
	made_set(hog(0), "begin_ns", "5000000000");
	judge();
	assert_true(all_passed());
	assert_int_equal(judge_run(records, false, &made_host, &findings), 0);
	assert_int_equal(findings.items[0].verdict, KTSTR_ERROR);
	assert_int_equal(findings.nr, 1);
	json_array_remove(records, json_array_size(records) - 1);
	expect_now("", KTSTR_ERROR, "the records were cut off");
	json_array_clear(records);
	expect_now("", KTSTR_ERROR, "no beginning");
}

static void failures_come_first_the_worst_before(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		made_set(hog(i), "gap_ns", i == 2 ? "900000000" : "200000000");
		made_set(made_find(records, "worker", "pigs", i), "gap_ns", "300000000");
	}
	made_set(made_find(records, "worker", "naps", 0), "gap_ns", "700000000");
	made_set(made_find(records, "worker", "naps", 1), "outside", "\"1\"");
	judge();
	assert_string_equal(findings.items[0].subject, "worker naps/1");
	assert_string_equal(findings.items[1].subject, "worker hogs/2");
	assert_string_equal(findings.items[2].subject, "worker naps/0");
	assert_int_equal(findings.more, 1);
}

static const char *kind_word(const struct ktstr_check_info *info)
{
	return info->kind == KTSTR_TIMING ? "timing" : "invariant";
}

static const char *subject_word(const struct ktstr_check_info *info)
{
	static const char *const words[] = {
		[KTSTR_SUBJECT_RUN] = "run",   [KTSTR_SUBJECT_WORKER] = "worker",
		[KTSTR_SUBJECT_WORK] = "work", [KTSTR_SUBJECT_CGROUP] = "cgroup",
		[KTSTR_SUBJECT_CPU] = "CPU",
	};

	return words[info->subject];
}

static void the_manual_has_every_check(void **state)
{
	static char text[64 << 10];
	FILE *f = fopen("docs/reference/checks.md", "r");
	size_t len;

	(void)state;
	assert_non_null(f);
	len = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	assert_in_range(len, 1, sizeof(text) - 2);
	for (int id = 1; id < KTSTR_JUDGE_CHECKS; id++) {
		const struct ktstr_check_info *info = ktstr_check_info((enum ktstr_check_id)id);
		char plain[128], plus[128];

		snprintf(plain, sizeof(plain), "\n| `%s` | %s | %s | ", info->name, kind_word(info),
			 subject_word(info));
		snprintf(plus, sizeof(plus), "\n| `%s` | %s + | %s | ", info->name, kind_word(info),
			 subject_word(info));
		if (!strstr(text, plain) && !strstr(text, plus))
			fail_msg("no row for%s", plain + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_check_passes_on_good_records, made_set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(an_ejected_scheduler_fails, made_set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(what_the_kernel_refuses_fails, made_set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(what_never_got_there_is_an_error, made_set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(a_scheduler_must_be_heard_of, made_set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(who_ran_elsewhere_fails, made_set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(who_crashes_or_hangs_fails, made_set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(who_gets_nothing_done_fails, made_set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(who_sleeps_is_not_starved, made_set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(a_long_gap_fails, made_set_up, made_tear_down),
		cmocka_unit_test_setup_teardown(a_window_too_short_says_nothing, made_set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(steps_that_follow_count_together, made_set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(a_long_wait_fails, made_set_up, made_tear_down),
		cmocka_unit_test_setup_teardown(a_limit_that_is_reached_fails, made_set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(who_moves_while_frozen_fails, made_set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(who_left_no_record_is_undecided, made_set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(what_was_before_the_end_counts, made_set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(set_up_that_fails_is_an_error, made_set_up,
						made_tear_down),
		cmocka_unit_test_setup_teardown(damage_is_an_error, made_set_up, made_tear_down),
		cmocka_unit_test(the_manual_has_every_check),
		cmocka_unit_test_setup_teardown(failures_come_first_the_worst_before, made_set_up,
						made_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
