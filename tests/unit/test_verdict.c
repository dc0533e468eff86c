// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/verdict.h"

/* Evidence of a run in which all went well; each row of the table breaks it in one way. */
static struct evidence e;
static struct verdict verdict;

static int set_up(void **state)
{
	(void)state;
	verdict = (struct verdict)VERDICT_INIT;
	if (evidence_init(&e) < 0)
		return -1;
	e.hello = e.shape_known = e.started = e.done = e.body_ended = e.bye = true;
	e.nr_checks = 3;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	verdict_deinit(&verdict);
	evidence_deinit(&e);
	return 0;
}

static void judge(enum ktstr_verdict wanted, const char *end, const char *reason)
{
	strbuf_clear(&verdict.reasons);
	verdict_judge(&e, &verdict);
	assert_string_equal(ktstr_verdict_name(verdict.verdict), ktstr_verdict_name(wanted));
	assert_string_equal(verdict.end, end);
	if (!strstr(strbuf_str(&verdict.reasons), reason))
		fail_msg("'%s' is not in: %s", reason, strbuf_str(&verdict.reasons));
}

static void fail_check(const char *fmt, ...)
{
	json_t *check;
	va_list ap;

	va_start(ap, fmt);
	check = json_vpack_ex(NULL, 0, fmt, ap);
	va_end(ap);
	assert_non_null(check);
	assert_int_equal(json_array_append_new(e.failed, check), 0);
	e.nr_failed++;
}

static void all_well_passes(void **state)
{
	(void)state;
	judge(KTSTR_PASS, "finished", "");
	assert_int_equal(verdict.reasons.len, 0);
}

static void nothing_known_never_passes(void **state)
{
	(void)state;
	evidence_deinit(&e);
	assert_int_equal(evidence_init(&e), 0);
	judge(KTSTR_ERROR, "incomplete", "the agent's hello");
	e.hello = true;
	judge(KTSTR_ERROR, "incomplete", "the topology that was seen");
	e.shape_known = true;
	judge(KTSTR_ERROR, "incomplete", "the start of the body");
	e.started = true;
	judge(KTSTR_ERROR, "incomplete", "how the body ended");
	e.done = true;
	judge(KTSTR_ERROR, "incomplete", "how the body ended");
	e.body_ended = true;
	judge(KTSTR_ERROR, "incomplete", "farewell");
	e.bye = true;
	judge(KTSTR_UNDECIDED, "no-checks", "no check");
	e.nr_checks = 1;
	judge(KTSTR_PASS, "finished", "");
}

static void no_part_of_the_story_may_be_missing(void **state)
{
	bool *const parts[] = {
		&e.hello, &e.shape_known, &e.started, &e.done, &e.body_ended, &e.bye
	};

	(void)state;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		*parts[i] = false;
		strbuf_clear(&verdict.reasons);
		verdict_judge(&e, &verdict);
		assert_int_not_equal(verdict.verdict, KTSTR_PASS);
		*parts[i] = true;
	}
	judge(KTSTR_PASS, "finished", "");
}

static void a_host_body_has_no_agent(void **state)
{
	(void)state;
	e.hello = e.shape_known = e.bye = false;
	judge(KTSTR_ERROR, "incomplete", "hello");
	e.on_host = true;
	judge(KTSTR_PASS, "finished", "");
	e.body_ended = false;
	judge(KTSTR_ERROR, "incomplete", "how the body ended");
}

static void failed_checks_show_both_sides(void **state)
{
	(void)state;
	fail_check("{s:b,s:s,s:i,s:s,s:s,s:s}", "ok", 0, "file", "a.c", "line", 20, "text",
		   "gap <= 64", "actual", "71", "bound", "64");
	judge(KTSTR_FAIL, "checks", "a.c:20: expected gap <= 64\n  seen 71; wanted 64\n");
	assert_false(verdict.console_matters);
	fail_check("{s:b,s:s,s:i,s:s,s:s}", "ok", 0, "file", "a.c", "line", 21, "text", "", "why",
		   "in words\x01");
	judge(KTSTR_FAIL, "checks", "a.c:21: in words\\x01\n");
}

static void a_check_that_is_an_error_wins(void **state)
{
	(void)state;
	fail_check("{s:b,s:s,s:i,s:s}", "ok", 0, "file", "a.c", "line", 1, "text", "x");
	fail_check("{s:b,s:s,s:i,s:s,s:s,s:b}", "ok", 0, "file", "a.c", "line", 2, "text",
		   "spawn succeeds", "why", "no such file", "error", 1);
	e.check_error = true;
	judge(KTSTR_ERROR, "checks", "spawn succeeds\n  no such file\n");
}

static void many_failed_checks_are_counted(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++)
		fail_check("{s:b,s:s,s:i,s:s}", "ok", 0, "file", "a.c", "line", i, "text", "x");
	e.nr_failed = 500;
	judge(KTSTR_FAIL, "checks", "and 492 more failed checks");
}

static void words_of_the_body_count(void **state)
{
	(void)state;
	e.skip_text = strdup("needs a moon");
	judge(KTSTR_SKIP, "skipped", "needs a moon");
	e.nr_checks = 0;
	judge(KTSTR_SKIP, "skipped", "needs a moon");
	e.undecided_text = strdup("host busy");
	judge(KTSTR_UNDECIDED, "undecided", "host busy");
	fail_check("{s:b,s:s,s:i,s:s}", "ok", 0, "file", "a.c", "line", 1, "text", "x");
	judge(KTSTR_FAIL, "checks", "a.c:1");
}

static void a_skip_does_not_hide_a_crash(void **state)
{
	(void)state;
	e.skip_text = strdup("needs a moon");
	e.done = false;
	e.body_signal = 9;
	judge(KTSTR_FAIL, "crashed", "the body was killed: signal 9 (SIGKILL");
}

static void crashes_say_where(void **state)
{
	(void)state;
	e.done = false;
	e.crash_signal = e.body_signal = 11;
	e.crash_address = strdup("0x10");
	strbuf_addstr(&e.crash_where, "in f at a.c:3\n");
	judge(KTSTR_FAIL, "crashed",
	      "the body crashed: signal 11 (SIGSEGV, Segmentation fault) at address 0x10\n"
	      "  in f at a.c:3\n");
	fail_check("{s:b,s:s,s:i,s:s}", "ok", 0, "file", "a.c", "line", 9, "text", "x");
	judge(KTSTR_FAIL, "crashed", "a.c:9: expected x");
}

static void leaving_early_fails(void **state)
{
	(void)state;
	e.done = false;
	judge(KTSTR_FAIL, "exited", "exit status 0");
	e.body_exit = 3;
	judge(KTSTR_FAIL, "exited", "exit status 3");
	/* What runs at exit, such as a leak check, has a say. */
	e.done = true;
	judge(KTSTR_FAIL, "exited", "returned, but its process failed after that: exit status 3");
}

static void time_limits_fail(void **state)
{
	(void)state;
	e.done = false;
	e.timed_out = true;
	e.timeout_limit_ns = 2500000000;
	e.timeout_tasks = strdup("spin (80)");
	e.body_signal = 9;
	judge(KTSTR_FAIL, "timeout", "limit of 2.50 s; what was running:\n  spin (80)\n");
	e.timed_out = false;
	e.end = END_OVERDUE;
	judge(KTSTR_FAIL, "timeout", "could not end it");
}

static void a_limit_that_the_host_used_up_decides_nothing(void **state)
{
	(void)state;
	e.done = false;
	e.timed_out = true;
	e.timeout_limit_ns = SECS(60);
	e.frozen_ns = SECS(5);
	judge(KTSTR_FAIL, "timeout", "did not finish");
	e.frozen_ns = SECS(6);
	judge(KTSTR_UNDECIDED, "starved", "the host did not let QEMU run for 6.00 s of it");
	e.exact = true;
	judge(KTSTR_FAIL, "timeout", "did not finish");
}

static void a_runaway_says_how_far_it_came(void **state)
{
	(void)state;
	e.exact = true;
	e.body_ended = e.bye = false;
	e.end = END_WALL_LIMIT;
	e.wall_limit_ns = SECS(600);
	e.first_virtual_ns = SECS(2);
	e.last_virtual_ns = SECS(9);
	judge(KTSTR_UNDECIDED, "wall-limit", "reached 7.00 s of virtual time in the 10 min 0 s");
}

static void ends_of_the_host_side(void **state)
{
	(void)state;
	e.end = END_NOT_STARTED;
	e.end_text = strdup("pack: no such file");
	judge(KTSTR_ERROR, "not-started", "pack: no such file");
	e.end = END_INTERRUPTED;
	judge(KTSTR_UNDECIDED, "interrupted", "interrupted");
	e.end = END_RUN_TIME_OVER;
	judge(KTSTR_UNDECIDED, "run-timeout", "--timeout");
	e.end = END_DISK_FULL;
	judge(KTSTR_ERROR, "disk-full", "--run-dir");
	e.end = END_FLOODED;
	judge(KTSTR_ERROR, "flood", "pack");
	e.end = END_QEMU_DIED;
	judge(KTSTR_ERROR, "qemu-died", "QEMU pack: no such file");
	assert_true(verdict.console_matters);
}

static void guests_that_go_down(void **state)
{
	(void)state;
	e.bye = e.done = e.body_ended = false;
	e.end = END_WENT_DOWN;
	judge(KTSTR_FAIL, "went-down", "while the body ran");
	e.started = false;
	judge(KTSTR_ERROR, "went-down", "before the body was started");
}

static void silence_is_told_apart(void **state)
{
	(void)state;
	e.done = e.body_ended = e.bye = false;
	e.silence_ns = 20000000000;
	e.end = END_HUNG;
	e.end_text = strdup("QEMU used 9 s");
	judge(KTSTR_FAIL, "hung", "the guest hung: no sign of life for 20.00 s; QEMU used 9 s");
	e.end = END_STARVED;
	judge(KTSTR_UNDECIDED, "starved", "the host starved the guest");
	e.end = END_HUNG;
	e.started = false;
	judge(KTSTR_ERROR, "hung", "before the body was started");
}

static void panics_show_the_splat(void **state)
{
	(void)state;
	e.done = e.body_ended = e.bye = false;
	e.end = END_WENT_DOWN;
	e.console.panic = strdup("Kernel panic - not syncing: Fatal exception");
	e.console.splat = strdup("BUG: one\nRIP: f\n");
	e.console.splat_kind = "BUG";
	e.console.nr_splats = 1;
	judge(KTSTR_FAIL, "panic",
	      "panicked: Kernel panic - not syncing: Fatal exception\n"
	      "  BUG: one\n  RIP: f\n");
	e.started = false;
	judge(KTSTR_ERROR, "panic", "before the body was started");
}

static void splats_fail_a_passing_body(void **state)
{
	(void)state;
	e.console.splat = strdup("WARNING: x at y\n");
	e.console.splat_kind = "WARN";
	e.console.nr_splats = 1;
	judge(KTSTR_FAIL, "splat", "kernel splat (WARN):\n  WARNING: x at y\n");
	e.console.nr_splats = 4;
	judge(KTSTR_FAIL, "splat", "the first of 4");
}

static void broken_emulation_is_no_verdict(void **state)
{
	(void)state;
	e.console.int3 = true;
	e.console.splat = strdup("Oops: int3: 0000\n");
	e.console.splat_kind = "Oops";
	e.console.nr_splats = 1;
	e.console.panic = strdup("Kernel panic - not syncing: Fatal exception");
	judge(KTSTR_FAIL, "panic", "int3");
	e.emulated = true;
	judge(KTSTR_ERROR, "emulator", "Oops: int3");
}

static void lack_of_memory_names_the_remedy(void **state)
{
	(void)state;
	e.memory_bytes = UINT64_C(256) << 20;
	e.body_signal = 9;
	e.done = false;
	e.console.oom = strdup("Out of memory: Killed process 80 (t)");
	judge(KTSTR_ERROR, "memory", "the guest had 256 MiB: give the test more .memory_bytes");
	free(e.console.oom);
	e.console.oom = NULL;
	e.console.panic = strdup("Kernel panic - not syncing: System is deadlocked on memory");
	judge(KTSTR_ERROR, "memory", "deadlocked");
	free(e.console.panic);
	e.console.panic = NULL;
	/* A cgroup's own limit is what a test may be about. */
	e.console.memcg_oom = strdup("Memory cgroup out of memory: Killed process 80 (t)");
	judge(KTSTR_FAIL, "crashed", "Memory cgroup out of memory");
}

static void a_wrong_shape_shows_both(void **state)
{
	(void)state;
	e.shape_wrong = true;
	e.shape_seen = strdup("1 CPU");
	e.shape_wanted = strdup("1n1l2c1t");
	e.shape_why = strdup("2 CPUs wanted");
	judge(KTSTR_ERROR, "topology", ": 2 CPUs wanted\n  wanted 1n1l2c1t\n  seen   1 CPU");
}

static void broken_records_are_an_error(void **state)
{
	(void)state;
	e.damage = strdup("record 5: checksum");
	judge(KTSTR_ERROR, "damaged", "cannot be trusted: record 5: checksum");
	free(e.damage);
	e.damage = NULL;
	json_array_append_new(e.errors, json_string("mount /proc: no"));
	judge(KTSTR_ERROR, "agent", "mount /proc: no");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void some_ends_are_of_the_host(void **state)
{
	(void)state;
	assert_true(verdict_is_of_host("interrupted"));
	assert_true(verdict_is_of_host("wall-limit"));
	assert_true(verdict_is_of_host("worker-died"));
	assert_false(verdict_is_of_host("finished"));
	assert_false(verdict_is_of_host("timeout"));
	assert_false(verdict_is_of_host(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_well_passes),
		TEST(nothing_known_never_passes),
		TEST(no_part_of_the_story_may_be_missing),
		TEST(a_host_body_has_no_agent),
		TEST(failed_checks_show_both_sides),
		TEST(a_check_that_is_an_error_wins),
		TEST(many_failed_checks_are_counted),
		TEST(words_of_the_body_count),
		TEST(a_skip_does_not_hide_a_crash),
		TEST(crashes_say_where),
		TEST(leaving_early_fails),
		TEST(time_limits_fail),
		TEST(a_limit_that_the_host_used_up_decides_nothing),
		TEST(a_runaway_says_how_far_it_came),
		TEST(ends_of_the_host_side),
		TEST(guests_that_go_down),
		TEST(silence_is_told_apart),
		TEST(panics_show_the_splat),
		TEST(splats_fail_a_passing_body),
		TEST(broken_emulation_is_no_verdict),
		TEST(lack_of_memory_names_the_remedy),
		TEST(a_wrong_shape_shows_both),
		TEST(broken_records_are_an_error),
		cmocka_unit_test(some_ends_are_of_the_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
