// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Schedulers come, go and are replaced while a scenario runs; the kernel says so while it happens. */
#include <string.h>

#include <ktstr/test.h>

#include "../lib/look.h"

#define LOOK(name_)                                                                        \
	{                                                                                  \
		.name = name_, .type = KTSTR_WORK_custom, .run = look, .policy = "fifo:80" \
	}
#define UNTIL(name_) .until = "done " name_, .hold_ns = SECS(10)

static const struct ktstr_scheduler good = { .name = "good",
					     .binary = "ktstr-sched",
					     .args = { "--watchdog", "5000" } };
static const struct ktstr_scheduler other = { .name = "other",
					      .binary = "odd-sched",
					      .args = { "well" } };
static const struct ktstr_scheduler bad = { .name = "bad",
					    .binary = "odd-sched",
					    .args = { "error" } };

static void ops_begin_with(struct ktstr *t, unsigned int n, const char *start)
{
	const char *line = look_find(n, "sched_ext ");

	ASSERT_NOT_NULL(t, line);
	ktstr_note(t, "look %u: %s", n, line);
	EXPECT_EQ(t, strncmp(line, start, strlen(start)), 0);
}

/* --- told to ------------------------------------------------------------------------------------- */

static const struct ktstr_scenario swaps = {
	.about = "schedulers go and come as operations say",
	.staged = { &other },
	.steps = {
		{ .works = { { .name = "hogs", .type = KTSTR_WORK_bursty },
			     { .name = "timers", .type = KTSTR_WORK_timer, .count = 4 },
			     { .name = "ext", .type = KTSTR_WORK_timer, .policy = "ext" },
			     LOOK("look0") },
		  UNTIL("look0") },
		{ .works = { LOOK("look1") },
		  .ops = { { KTSTR_OP_detach, NULL, NULL } },
		  UNTIL("look1") },
		{ .works = { LOOK("look2") },
		  .ops = { { KTSTR_OP_attach, NULL, NULL } },
		  UNTIL("look2") },
		{ .works = { LOOK("look3") },
		  .ops = { { KTSTR_OP_restart, NULL, NULL } },
		  UNTIL("look3") },
		{ .works = { LOOK("look4") },
		  .ops = { { KTSTR_OP_replace, NULL, "other" } },
		  UNTIL("look4") },
	},
};

static void schedulers_swap(struct ktstr *t)
{
	ASSERT_EQ(t, look_count(), 5);
	ops_begin_with(t, 0, "enabled ktstr");
	look_has(t, 0, "task ext/0 cgroup . policy 7 nice 0 rt 0 cpus 0-3");
	ops_begin_with(t, 1, "disabled ");
	ops_begin_with(t, 2, "enabled ktstr");
	ops_begin_with(t, 3, "enabled ktstr");
	ops_begin_with(t, 4, "enabled odd");
	look_clean(t);
}

KTSTR_TEST(engine_swaps_schedulers) = {
	.about = "a scheduler is detached, attached, restarted and replaced under load",
	.topology = { .llcs = 2, .cores_per_llc = 2 },
	.needs = { .sched_ext = true },
	.scheduler = &good,
	.scenario = &swaps,
	.run = schedulers_swap,
};

/* --- gone ---------------------------------------------------------------------------------------- */

static const struct ktstr_scenario awaited = {
	.about = "a step waits for the end of its scheduler",
	.steps = {
		{ .works = { { .name = "hogs", .type = KTSTR_WORK_spin, .percent = 100 } },
		  .until = "scheduler gone",
		  .hold_ns = SECS(20) },
		{ .works = { LOOK("look0") }, UNTIL("look0") },
	},
	.checks = { KTSTR_NOT_DEMANDED(scheduler_alive) },
};

static void end_is_seen(struct ktstr *t)
{
	ASSERT_EQ(t, look_count(), 1);
	ops_begin_with(t, 0, "disabled");
	look_clean(t);
}

KTSTR_TEST(engine_waits_for_a_scheduler_to_go) = {
	.about = "a step may last until the kernel ejects the scheduler, and the next one is run",
	.topology = { .llcs = 2, .cores_per_llc = 2 },
	.needs = { .sched_ext = true },
	.scheduler = &bad,
	.scenario = &awaited,
	.run = end_is_seen,
};

static const struct ktstr_scenario broken = {
	.about = "nothing goes on without the scheduler",
	.steps = {
		{ .works = { { .name = "hogs", .type = KTSTR_WORK_spin, .percent = 100 } },
		  .hold_ns = SECS(20) },
		{ .works = { LOOK("look0") }, UNTIL("look0") },
	},
	.checks = { KTSTR_NOT_DEMANDED(scheduler_alive) },
};

static void rest_is_not_run(struct ktstr *t)
{
	EXPECT_EQ(t, look_count(), 0);
	look_clean(t);
}

KTSTR_TEST(engine_stops_without_its_scheduler) = {
	.about = "when the kernel ejects the scheduler the step ends, and the rest is not run",
	.topology = { .llcs = 2, .cores_per_llc = 2 },
	.needs = { .sched_ext = true },
	.scheduler = &bad,
	.scenario = &broken,
	.run = rest_is_not_run,
};

/* --- in the way ---------------------------------------------------------------------------------- */

static const struct ktstr_scheduler forgetful = { .name = "forgetful",
						  .binary = "ktstr-sched",
						  .args = { "--watchdog", "3000", "--fault",
							    "drop-queued=20" } };

static const struct ktstr_scenario stuck = {
	.about = "a worker that is never run cannot be frozen",
	.steps = {
		{ .cgroups = { { .name = "left" } },
		  .works = { { .name = "hogs", .type = KTSTR_WORK_spin, .count = 6, .cgroup = "left" },
			     { .name = "b", .type = KTSTR_WORK_bursty, .count = 4, .cgroup = "left" } },
		  .hold_ns = MSECS(300) },
		{ .works = { LOOK("look0") },
		  .ops = { { KTSTR_OP_freeze, "left", NULL } },
		  UNTIL("look0") },
	},
	/* The worker that is forgotten may be one that had done nothing yet. */
	.checks = { KTSTR_NOT_DEMANDED(scheduler_alive), KTSTR_NOT_DEMANDED(progress) },
};

KTSTR_TEST(engine_blames_who_is_in_the_way) = {
	.about =
		"an operation that a scheduler keeps from its end ends the scenario, and is no error",
	.topology = { .llcs = 2, .cores_per_llc = 2 },
	.needs = { .sched_ext = true },
	.scheduler = &forgetful,
	.scenario = &stuck,
	.run = rest_is_not_run,
};

KTSTR_MAIN
