// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Tests that must not pass, each for one reason that a payload can give. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ktstr/test.h>

#define REPORTER(name_) .name = name_, .binary = "ktstr-json-metrics", .output = KTSTR_OUTPUT_JSON

static const struct ktstr_payload exits_with_0 = {
	.name = "exits_with_0",
	.binary = "ktstr-exit-with",
	.checks = { { KTSTR_CHECK_EXIT, NULL, 0 } },
	.exits = { { 3, "three means no" } },
};

static const struct ktstr_payload unchecked = {
	.name = "unchecked",
	.binary = "ktstr-exit-with",
};

static const struct ktstr_payload at_most_5 = {
	REPORTER("at_most_5"),
	.checks = { { KTSTR_CHECK_AT_MOST, "given.gap_ns", 5 } },
};

static const struct ktstr_payload has_gap = {
	REPORTER("has_gap"),
	.checks = { { KTSTR_CHECK_PRESENT, "given.gap_ns", 0 } },
};

static const struct ktstr_payload sane_to_100 = {
	REPORTER("sane_to_100"),
	.checks = { { KTSTR_CHECK_AT_LEAST, "given.gap_ns", 1 } },
	.metrics = { { "given.gap_ns", "ns", KTSTR_LOWER_IS_BETTER, true, 0, 100 } },
};

static const struct ktstr_payload nowhere = {
	.name = "nowhere",
	.binary = "ktstr-no-such-payload",
};

static void run(struct ktstr *t, const struct ktstr_payload *payload, const char *arg)
{
	_cleanup_payload_ struct ktstr_proc *p = NULL;

	ASSERT_OK(t, ktstr_payload_run(t, payload, KTSTR_ARGS(arg), SECS(30), &p));
}

#define HOST_TEST(name_, payload_, arg_)           \
	static void name_(struct ktstr *t)         \
	{                                          \
		run(t, payload_, arg_);            \
	}                                          \
	KTSTR_TEST(name_) = {                      \
		.about = "does not pass: " #name_, \
		.host_only = true,                 \
		.run = name_,                      \
	}

HOST_TEST(wrong_exit_fails, &exits_with_0, "exit:3");
HOST_TEST(signal_is_no_exit, &exits_with_0, "signal:11");
HOST_TEST(bound_broken_fails, &at_most_5, "gap_ns=6");
HOST_TEST(bound_missing_is_undecided, &at_most_5, "other=1");
HOST_TEST(bound_on_nan_is_undecided, &at_most_5, "gap_ns=NaN");
HOST_TEST(present_missing_fails, &has_gap, "other=1");
HOST_TEST(insane_value_is_error, &sane_to_100, "gap_ns=101");
HOST_TEST(missing_binary_is_error, &nowhere, "x");

static void early_death_is_error(struct ktstr *t)
{
	_cleanup_payload_ struct ktstr_proc *p = NULL;

	ASSERT_OK(t, ktstr_payload_spawn(t, &unchecked, KTSTR_ARGS("say:no luck", "exit:7"), &p));
	ASSERT_OK(t, ktstr_proc_wait_ready(t, p, SECS(30)));
}

KTSTR_TEST(early_death_is_error) = {
	.about = "a set-up step that fails is no verdict on the scheduler",
	.host_only = true,
	.run = early_death_is_error,
};

static void unjudged_is_undecided(struct ktstr *t)
{
	_cleanup_payload_ struct ktstr_proc *p = NULL;

	ASSERT_OK(t, ktstr_payload_spawn(t, &exits_with_0, KTSTR_ARGS("hold"), &p));
}

KTSTR_TEST(unjudged_is_undecided) = {
	.about = "a check that was declared and never judged is not passed over",
	.host_only = true,
	.run = unjudged_is_undecided,
};

static struct ktstr_proc *kept;

static void body_end_kills(struct ktstr *t)
{
	ASSERT_OK(t, ktstr_payload_spawn(t, &unchecked, KTSTR_ARGS("hold"), &kept));
}

KTSTR_TEST(body_end_kills) = {
	.about = "a handle still open when the body returns is closed for it (passes)",
	.host_only = true,
	.run = body_end_kills,
};

static void crash_takes_payloads_along(struct ktstr *t)
{
	ASSERT_OK(t, ktstr_payload_spawn(t, &unchecked, KTSTR_ARGS("hold"), &kept));
	ktstr_note(t, "payload pid %d", (int)ktstr_proc_pid(kept));
	abort();
}

KTSTR_TEST(crash_takes_payloads_along) = {
	.about = "payloads die with a body that crashes",
	.host_only = true,
	.run = crash_takes_payloads_along,
};

static void stolen_status_is_error(struct ktstr *t)
{
	_cleanup_payload_ struct ktstr_proc *p = NULL;

	ASSERT_OK(t, ktstr_payload_spawn(t, &exits_with_0, NULL, &p));
	ASSERT_EQ(t, waitpid(ktstr_proc_pid(p), NULL, 0), ktstr_proc_pid(p));
	ASSERT_OK(t, ktstr_proc_wait(t, p, SECS(30)));
}

KTSTR_TEST(stolen_status_is_error) = {
	.about = "an exit status that something else collected is no exit status of 0",
	.host_only = true,
	.run = stolen_status_is_error,
};

KTSTR_MAIN
