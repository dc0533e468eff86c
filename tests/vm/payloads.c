// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The life of a payload, on the host part by part and in a guest in one boot. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ktstr/test.h>

#include "tests/lib/process.h"

static const struct ktstr_payload exit_with = {
	.name = "exit_with",
	.binary = "ktstr-exit-with",
	.exits = { { 2, "asked to" } },
};

static const struct ktstr_payload must_pass = {
	.name = "must_pass",
	.binary = "ktstr-exit-with",
	.args = { "say:declared" },
	.checks = { { KTSTR_CHECK_EXIT, NULL, 0 } },
};

static const struct ktstr_payload forker = {
	.name = "forker",
	.binary = "ktstr-fork-daemon",
	.output = KTSTR_OUTPUT_JSON,
	.flags = { "--stay", "--setsid" },
};

static const struct ktstr_payload reporter = {
	.name = "reporter",
	.binary = "ktstr-json-metrics",
	.output = KTSTR_OUTPUT_JSON,
	.checks = {
		{ KTSTR_CHECK_EXIT, NULL, 0 },
		{ KTSTR_CHECK_AT_MOST, "given.p99_ns", 500 },
		{ KTSTR_CHECK_AT_LEAST, "given.p99_ns", 500 },
		{ KTSTR_CHECK_PRESENT, "list.1", 0 },
	},
	.metrics = { { "given.p99_ns", "ns", KTSTR_LOWER_IS_BETTER, true, 1, 1e9 } },
};

static const struct ktstr_payload noisy = {
	.name = "noisy",
	.binary = "ktstr-noisy",
	.output = KTSTR_OUTPUT_JSON,
};

static void metrics_are_read_and_judged(struct ktstr *t)
{
	_cleanup_payload_ struct ktstr_proc *p = NULL;
	double value = 0;

	ASSERT_OK(t, ktstr_payload_run(t, &reporter, KTSTR_ARGS("p99_ns=500"), SECS(30), &p));
	EXPECT_TRUE(t, ktstr_proc_result(p)->exited);
	EXPECT_EQ(t, ktstr_proc_result(p)->exit_code, 0);
	EXPECT_GT(t, ktstr_proc_result(p)->wall_ns, 0);
	ASSERT_OK(t, ktstr_proc_metric(p, "given.p99_ns", &value));
	EXPECT_EQ(t, value, 500);
	ASSERT_OK(t, ktstr_proc_metric(p, "run", &value));
	EXPECT_EQ(t, value, 2);
	EXPECT_ERR(t, ktstr_proc_metric(p, "given.p50_ns", &value), -ENODATA);
}

static void exit_code_and_signal_are_apart(struct ktstr *t)
{
	_cleanup_payload_ struct ktstr_proc *code = NULL, *sig = NULL;

	ASSERT_OK(t, ktstr_payload_run(t, &exit_with, KTSTR_ARGS("exit:9"), SECS(30), &code));
	EXPECT_TRUE(t, ktstr_proc_result(code)->exited);
	EXPECT_EQ(t, ktstr_proc_result(code)->exit_code, 9);
	ASSERT_OK(t, ktstr_payload_run(t, &exit_with, KTSTR_ARGS("signal:9"), SECS(30), &sig));
	EXPECT_FALSE(t, ktstr_proc_result(sig)->exited);
	EXPECT_EQ(t, ktstr_proc_result(sig)->signal, SIGKILL);
	EXPECT_FALSE(t, ktstr_proc_result(sig)->killed);
}

static void pid_lasts_until_collected(struct ktstr *t)
{
	_cleanup_payload_ struct ktstr_proc *p = NULL;
	char marker[64];
	pid_t pid;

	ASSERT_OK(t, ktstr_payload_spawn(t, &exit_with, KTSTR_ARGS("ready", "hold"), &p));
	pid = ktstr_proc_pid(p);
	ASSERT_GT(t, pid, 0);
	ASSERT_OK(t, ktstr_proc_wait_ready(t, p, SECS(30)));
	snprintf(marker, sizeof(marker), "/tmp/ktstr-worker-ready-%d", (int)pid);
	EXPECT_EQ(t, access(marker, F_OK), 0);
	EXPECT_EQ(t, getpgid(pid), pid);
	EXPECT_EQ(t, ktstr_proc_try_wait(t, p), 0);
	EXPECT_NULL(t, ktstr_proc_result(p));
	ASSERT_OK(t, ktstr_proc_kill(t, p));
	EXPECT_ERR(t, ktstr_proc_pid(p), -ESRCH);
	EXPECT_ERR(t, ktstr_proc_wait(t, p, UINT64_MAX), -ESRCH);
	EXPECT_ERR(t, ktstr_proc_try_wait(t, p), -ESRCH);
	EXPECT_ERR(t, ktstr_proc_kill(t, p), -ESRCH);
	EXPECT_EQ(t, ktstr_proc_result(p)->signal, SIGKILL);
	EXPECT_TRUE(t, ktstr_proc_result(p)->killed);
	EXPECT_NE(t, access(marker, F_OK), 0);
}

static void early_death_is_told(struct ktstr *t)
{
	_cleanup_payload_ struct ktstr_proc *dead = NULL, *silent = NULL;

	ASSERT_OK(t, ktstr_payload_spawn(t, &exit_with, KTSTR_ARGS("say:why", "exit:2"), &dead));
	EXPECT_ERR(t, ktstr_proc_wait_ready(t, dead, SECS(30)), -ECHILD);
	EXPECT_EQ(t, ktstr_proc_result(dead)->exit_code, 2);
	EXPECT_STREQ(t, ktstr_proc_result(dead)->stderr_text, "why\n");
	ASSERT_OK(t, ktstr_payload_spawn(t, &exit_with, KTSTR_ARGS("hold"), &silent));
	EXPECT_ERR(t, ktstr_proc_wait_ready(t, silent, MSECS(50)), -ETIMEDOUT);
	EXPECT_ERR(t, ktstr_proc_wait(t, silent, MSECS(50)), -ETIMEDOUT);
	ASSERT_OK(t, ktstr_proc_kill(t, silent));
}

static void kill_reaches_the_group(struct ktstr *t)
{
	_cleanup_payload_ struct ktstr_proc *p = NULL;
	double child = 0;

	ASSERT_OK(t, ktstr_payload_spawn(t, &forker, KTSTR_ARGS("--stay"), &p));
	ASSERT_OK(t, ktstr_proc_wait_ready(t, p, SECS(30)));
	ASSERT_OK(t, ktstr_proc_kill(t, p));
	ASSERT_OK(t, ktstr_proc_metric(p, "child", &child));
	process_wait_dead((pid_t)child);
}

static void leftovers_and_daemons_block_nothing(struct ktstr *t)
{
	_cleanup_payload_ struct ktstr_proc *stays = NULL, *leaves = NULL;
	double child = 0;

	ASSERT_OK(t, ktstr_payload_run(t, &forker, NULL, SECS(30), &stays));
	ASSERT_OK(t, ktstr_proc_metric(stays, "child", &child));
	process_wait_dead((pid_t)child);
	ASSERT_OK(t, ktstr_payload_run(t, &forker, KTSTR_ARGS("--setsid"), SECS(30), &leaves));
	ASSERT_OK(t, ktstr_proc_metric(leaves, "child", &child));
	EXPECT_FALSE(t, process_is_dead((pid_t)child));
	EXPECT_EQ(t, kill((pid_t)child, SIGKILL), 0);
	process_wait_dead((pid_t)child);
}

static void much_output_blocks_nothing(struct ktstr *t)
{
	_cleanup_payload_ struct ktstr_proc *p = NULL;
	double lines = 0;

	ASSERT_OK(t, ktstr_payload_spawn(t, &noisy, KTSTR_ARGS("2048", "2048"), &p));
	process_wait_dead(ktstr_proc_pid(p));
	ASSERT_EQ(t, ktstr_proc_try_wait(t, p), 1);
	EXPECT_TRUE(t, ktstr_proc_result(p)->output_cut);
	EXPECT_GT(t, ktstr_proc_result(p)->stdout_bytes, MIB(2));
	EXPECT_GT(t, ktstr_proc_result(p)->stderr_bytes, MIB(2));
	ASSERT_OK(t, ktstr_proc_metric(p, "lines", &lines));
	EXPECT_EQ(t, lines, 2048 * 16);
}

static void environment_and_folder_are_given(struct ktstr *t)
{
	_cleanup_payload_ struct ktstr_proc *p = NULL;
	const struct ktstr_spawn spawn = {
		.args = KTSTR_ARGS("env:WHO", "cwd"),
		.env = KTSTR_ARGS("WHO=me"),
		.cwd = "/proc",
	};

	ASSERT_OK(t, ktstr_payload_spawn_with(t, &must_pass, &spawn, &p));
	ASSERT_OK(t, ktstr_proc_wait(t, p, SECS(30)));
	EXPECT_STREQ(t, ktstr_proc_result(p)->stdout_text, "me\n/proc\n");
	EXPECT_STREQ(t, ktstr_proc_result(p)->stderr_text, "declared\n");
}

static pid_t leave_running(struct ktstr *t)
{
	_cleanup_payload_ struct ktstr_proc *p = NULL;

	if (!EXPECT_OK(t, ktstr_payload_spawn(t, &exit_with, KTSTR_ARGS("ready", "hold"), &p)) ||
	    !EXPECT_OK(t, ktstr_proc_wait_ready(t, p, SECS(30))))
		return 0;
	return ktstr_proc_pid(p);
}

static void scope_end_kills(struct ktstr *t)
{
	pid_t pid = leave_running(t);

	ASSERT_GT(t, pid, 0);
	/* Killed and reaped: not even a zombie is left. */
	EXPECT_EQ(t, kill(pid, 0), -1);
	EXPECT_EQ(t, errno, ESRCH);
}

static void bad_starts_are_refused(struct ktstr *t)
{
	static const struct ktstr_payload missing = {
		.name = "missing",
		.binary = "ktstr-no-such-payload",
	};
	static const struct ktstr_payload senseless = {
		.name = "senseless",
		.binary = "ktstr-exit-with",
		.checks = { { KTSTR_CHECK_PRESENT, "metric", 0 } },
	};
	const struct ktstr_spawn nowhere = { .cwd = "/no/such/folder" };
	struct ktstr_proc *p = NULL;

	EXPECT_ERR(t, ktstr_payload_spawn(t, &missing, NULL, &p), -ENOENT);
	EXPECT_ERR(t, ktstr_payload_spawn(t, &forker, KTSTR_ARGS("--other"), &p), -EINVAL);
	EXPECT_ERR(t, ktstr_payload_spawn(t, &senseless, NULL, &p), -EINVAL);
	EXPECT_ERR(t, ktstr_payload_spawn_with(t, &exit_with, &nowhere, &p), -ENOENT);
	EXPECT_NULL(t, p);
}

static void run_has_a_time_limit(struct ktstr *t)
{
	_cleanup_payload_ struct ktstr_proc *p = NULL;

	EXPECT_ERR(
		t,
		ktstr_payload_run(t, &exit_with, KTSTR_ARGS("say:so far", "hold"), MSECS(300), &p),
		-ETIMEDOUT);
	ASSERT_NOT_NULL(t, p);
	EXPECT_TRUE(t, ktstr_proc_result(p)->killed);
	EXPECT_EQ(t, ktstr_proc_result(p)->signal, SIGKILL);
}

static void whole_contract(struct ktstr *t)
{
	metrics_are_read_and_judged(t);
	exit_code_and_signal_are_apart(t);
	pid_lasts_until_collected(t);
	early_death_is_told(t);
	kill_reaches_the_group(t);
	leftovers_and_daemons_block_nothing(t);
	much_output_blocks_nothing(t);
	environment_and_folder_are_given(t);
	scope_end_kills(t);
	bad_starts_are_refused(t);
	run_has_a_time_limit(t);
}

KTSTR_TEST(payloads_live_and_die_in_a_guest) = {
	.about = "the whole contract of payloads holds in a guest",
	.topology = { .cores_per_llc = 2 },
	.payloads = { &exit_with, &forker, &reporter, &noisy },
	.run = whole_contract,
};

#define ON_HOST(name_, about_)                    \
	KTSTR_TEST(host_##name_) = {              \
		.about = about_ " (on the host)", \
		.host_only = true,                \
		.run = name_,                     \
	}

ON_HOST(metrics_are_read_and_judged, "a payload's JSON becomes metrics and verdicts");
ON_HOST(exit_code_and_signal_are_apart, "an exit code is no signal and the other way round");
ON_HOST(pid_lasts_until_collected, "a payload's pid is known until its exit is collected, once");
ON_HOST(early_death_is_told, "a payload that dies before it is ready is no timeout");
ON_HOST(kill_reaches_the_group, "kill ends the whole process group");
ON_HOST(leftovers_and_daemons_block_nothing, "what a payload leaves behind delays nothing");
ON_HOST(much_output_blocks_nothing, "a payload never blocks on its output");
ON_HOST(environment_and_folder_are_given, "environment and folder reach the payload");
ON_HOST(scope_end_kills, "a payload ends with the scope that holds it");
ON_HOST(bad_starts_are_refused, "a payload that cannot start says why and leaves nothing");
ON_HOST(run_has_a_time_limit, "a foreground run ends at its limit, with its output");

KTSTR_MAIN
