// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * What scenarios ask for is what the guest's kernel shows while they run: each word and each operation that
 * needs no scheduler, once.  A custom worker looks; the bodies, run afterwards, judge.
 */
#include <stdio.h>
#include <string.h>

#include <ktstr/test.h>

#include "../lib/look.h"

/* Above what it looks at, as it has much to read; its step ends when it is done. */
#define LOOK(name_)                                                                        \
	{                                                                                  \
		.name = name_, .type = KTSTR_WORK_custom, .run = look, .policy = "fifo:80" \
	}
#define UNTIL(name_) .until = "done " name_, .hold_ns = SECS(10)

/* --- cgroups ----------------------------------------------------------------------------------- */

static const struct ktstr_scenario cgroups = {
	.about = "cgroups are as they are declared",
	.steps = { {
		.cgroups = { { .name = "plain" },
			     { .name = "half", .cpus = "llc:1", .mems = "nodes:1", .weight = 300 },
			     { .name = "half/one", .cpus = "one:0", .quota = "50ms/100ms" },
			     { .name = "idle", .cpus = "cpus:0,3", .idle = true },
			     { .name = "share", .quota = "150%" } },
		.works = { { .name = "own", .type = KTSTR_WORK_spin },
			   { .name = "deep", .cgroup = "half/one", .type = KTSTR_WORK_spin },
			   { .name = "high",
			     .cgroup = "half",
			     .type = KTSTR_WORK_spin,
			     .percent = 50,
			     .threads = true },
			   { .name = "all",
			     .cgroup = "idle",
			     .type = KTSTR_WORK_spin,
			     .percent = 100 },
			   { .name = "pairs",
			     .cgroup = "plain",
			     .type = KTSTR_WORK_pipe_pair,
			     .percent = 40 },
			   LOOK("look") },
		UNTIL("look"),
	} },
};

static void cgroups_are_as_declared(struct ktstr *t)
{
	static const char *const lines[] = {
		"cgroup plain cpuset.cpus ",
		"cgroup plain cpuset.cpus.effective 0-7",
		"cgroup half cpuset.cpus 4-7",
		"cgroup half cpuset.mems 1",
		"cgroup half cpu.weight 300",
		"cgroup half cpu.max max 100000",
		"cgroup half/one cpuset.cpus.effective 4",
		"cgroup half/one cpu.max 50000 100000",
		"cgroup idle cpuset.cpus 0,3",
		"cgroup idle cpu.idle 1",
		"cgroup share cpu.max 150000 100000",
		"task own/0 cgroup . policy 0 nice 0 rt 0 cpus 0-7",
		"task deep/0 cgroup half/one policy 0 nice 0 rt 0 cpus 4",
		"task high/1 cgroup half policy 0 nice 0 rt 0 cpus 4-7",
		"task all/1 cgroup idle policy 0 nice 0 rt 0 cpus 0,3",
		"task pairs/3 cgroup plain policy 0 nice 0 rt 0 cpus 0-7",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		look_has(t, 0, lines[i]);
	EXPECT_NULL(t, look_find(0, "task high/2 "));
	EXPECT_NULL(t, look_find(0, "task all/2 "));
	EXPECT_NULL(t, look_find(0, "task pairs/4 "));
	look_clean(t);
}

KTSTR_TEST(engine_makes_cgroups) = {
	.about =
		"cgroups have the CPUs, memory, weight, quota and workers that they are declared with",
	.topology = { .nodes = 2, .llcs = 2, .cores_per_llc = 2, .threads_per_core = 2 },
	.scenario = &cgroups,
	.run = cgroups_are_as_declared,
};

/* --- CPU words ----------------------------------------------------------------------------------- */

#define BOUND(name_, words_)                                               \
	{                                                                  \
		.name = name_, .type = KTSTR_WORK_spin, .affinity = words_ \
	}

static const struct ktstr_scenario cpu_words = {
	.about = "workers are bound as their words say",
	.steps = { {
			   .works = { BOUND("all", "all"), BOUND("list", "cpus:0-1,7"),
				      BOUND("llc", "llc:1"), BOUND("node", "node:0"),
				      BOUND("core", "core:2"), BOUND("smt", "smt:1"),
				      BOUND("range", "range:25-75%"), LOOK("look1") },
			   UNTIL("look1"),
		   },
		   {
			   .cgroups = { { .name = "left", .cpus = "cpus:0-3" } },
			   .works = { BOUND("disjoint", "disjoint:1/3"),
				      BOUND("overlap", "overlap:1/2:50%"),
				      BOUND("one", "one:3"),
				      BOUND("inherit", "inherit"),
				      { .name = "random",
					.type = KTSTR_WORK_spin,
					.count = 4,
					.affinity = "random:2",
					.cgroup = "left" },
				      { .name = "part",
					.type = KTSTR_WORK_spin,
					.cgroup = "left",
					.affinity = "disjoint:1/2" },
				      LOOK("look2") },
			   UNTIL("look2"),
		   } },
};

static void workers_are_bound(struct ktstr *t)
{
	static const struct {
		unsigned int look;
		const char *name, *cgroup, *cpus;
	} rows[] = {
		{ 0, "all", ".", "0-7" },	  { 0, "list", ".", "0-1,7" },
		{ 0, "llc", ".", "4-7" },	  { 0, "node", ".", "0-3" },
		{ 0, "core", ".", "4-5" },	  { 0, "smt", ".", "1,3,5,7" },
		{ 0, "range", ".", "2-5" },	  { 1, "disjoint", ".", "2-4" },
		{ 1, "overlap", ".", "0-1,4-7" }, { 1, "one", ".", "3" },
		{ 1, "inherit", ".", "0-7" },	  { 1, "part", "left", "2-3" },
	};
	bool differ = false;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char line[128];

		snprintf(line, sizeof(line), "task %s/0 cgroup %s policy 0 nice 0 rt 0 cpus %s",
			 rows[i].name, rows[i].cgroup, rows[i].cpus);
		look_has(t, rows[i].look, line);
	}
	for (int i = 0; i < 4; i++) {
		char start[64], first[64];
		const char *cpus;
		unsigned int a, b;

		snprintf(start, sizeof(start),
			 "task random/%d cgroup left policy 0 nice 0 rt 0 cpus ", i);
		cpus = look_find(1, start);
		ASSERT_NOT_NULL(t, cpus);
		ASSERT_EQ(t, sscanf(cpus, "%u%*1[-,]%u", &a, &b), 2);
		EXPECT_LT(t, a, b);
		EXPECT_LE(t, b, 3);
		if (!i)
			snprintf(first, sizeof(first), "%s", cpus);
		else
			differ = differ || strcmp(first, cpus) != 0;
	}
	EXPECT_TRUE(t, differ);
}

KTSTR_TEST(engine_binds_workers) = {
	.about = "workers may run where their affinity's words say",
	.topology = { .nodes = 2, .llcs = 2, .cores_per_llc = 2, .threads_per_core = 2 },
	.scenario = &cpu_words,
	.run = workers_are_bound,
};

/* --- policies ------------------------------------------------------------------------------------ */

static const struct ktstr_scenario policies = {
	.about = "workers have the policy of their row",
	.steps = { {
		.works = { { .name = "batch",
			     .type = KTSTR_WORK_spin,
			     .policy = "batch",
			     .nice = 5 },
			   { .name = "idle", .type = KTSTR_WORK_spin, .policy = "idle" },
			   { .name = "fifo", .type = KTSTR_WORK_bursty, .policy = "fifo:50" },
			   { .name = "rr", .type = KTSTR_WORK_bursty, .policy = "rr:10" },
			   { .name = "dl",
			     .type = KTSTR_WORK_bursty,
			     .policy = "deadline:2ms/10ms/20ms" },
			   { .name = "fast", .type = KTSTR_WORK_spin, .nice = -20 },
			   { .name = "local", .type = KTSTR_WORK_spin, .memory = "bind:0" },
			   LOOK("look") },
		UNTIL("look"),
	} },
};

static void workers_have_policies(struct ktstr *t)
{
	static const char *const lines[] = {
		"task batch/0 cgroup . policy 3 nice 5 rt 0 cpus 0-3",
		"task idle/0 cgroup . policy 5 nice 0 rt 0 cpus 0-3",
		"task fifo/0 cgroup . policy 1 nice 0 rt 50 cpus 0-3",
		"task rr/0 cgroup . policy 2 nice 0 rt 10 cpus 0-3",
		"task dl/0 cgroup . policy 6 nice 0 rt 0 cpus 0-3",
		"task fast/0 cgroup . policy 0 nice -20 rt 0 cpus 0-3",
		"task local/0 cgroup . policy 0 nice 0 rt 0 cpus 0-3",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		look_has(t, 0, lines[i]);
}

KTSTR_TEST(engine_sets_policies) = {
	.about = "workers have the policy, priority and nice value of their row",
	.topology = { .llcs = 2, .cores_per_llc = 2 },
	.scenario = &policies,
	.run = workers_have_policies,
};

/* --- operations on cgroups ----------------------------------------------------------------------- */

static const struct ktstr_scenario cgroup_ops = {
	.about = "cgroups change as operations say",
	.steps = {
		{ .cgroups = { { .name = "left", .cpus = "llc:0" }, { .name = "right", .cpus = "llc:1" },
			       { .name = "right/in" } },
		  .works = { { .name = "l", .cgroup = "left", .type = KTSTR_WORK_spin, .count = 2 },
			     { .name = "r", .cgroup = "right/in", .type = KTSTR_WORK_spin, .count = 2 },
			     LOOK("look0") },
		  UNTIL("look0") },
		{ .works = { LOOK("look1") },
		  .ops = { { KTSTR_OP_swap_cpus, "left", "right" },
			   { KTSTR_OP_set_weight, "left", "1000" },
			   { KTSTR_OP_set_quota, "left", "30ms/60ms" },
			   { KTSTR_OP_set_mems, "left", "nodes:1" },
			   { KTSTR_OP_set_idle, "right", "1" } },
		  UNTIL("look1") },
		{ .works = { LOOK("look2") },
		  .ops = { { KTSTR_OP_set_cpus, "left", "one:1" },
			   { KTSTR_OP_clear_cpus, "right", NULL },
			   { KTSTR_OP_set_quota, "left", "max" },
			   { KTSTR_OP_set_idle, "right", "0" },
			   { KTSTR_OP_freeze, "right", NULL } },
		  UNTIL("look2") },
		{ .works = { LOOK("look3") },
		  .ops = { { KTSTR_OP_thaw, "right", NULL }, { KTSTR_OP_remove_cgroup, "left", NULL } },
		  UNTIL("look3") },
		{ .works = { LOOK("look4") },
		  .ops = { { KTSTR_OP_freeze, "right/in", NULL },
			   { KTSTR_OP_remove_cgroup, "right", NULL } },
		  UNTIL("look4") },
	},
};

static void cgroups_change(struct ktstr *t)
{
	static const struct {
		unsigned int look;
		const char *line;
	} rows[] = {
		{ 0, "task l/1 cgroup left policy 0 nice 0 rt 0 cpus 0-1" },
		{ 0, "task r/1 cgroup right/in policy 0 nice 0 rt 0 cpus 2-3" },
		{ 1, "cgroup left cpuset.cpus 2-3" },
		{ 1, "cgroup right cpuset.cpus 0-1" },
		{ 1, "task l/0 cgroup left policy 0 nice 0 rt 0 cpus 2-3" },
		{ 1, "task r/0 cgroup right/in policy 0 nice 0 rt 0 cpus 0-1" },
		{ 1, "cgroup left cpu.weight 1000" },
		{ 1, "cgroup left cpu.max 30000 60000" },
		{ 1, "cgroup left cpuset.mems 1" },
		{ 1, "cgroup right cpu.idle 1" },
		{ 2, "cgroup left cpuset.cpus 1" },
		{ 2, "task l/0 cgroup left policy 0 nice 0 rt 0 cpus 1" },
		{ 2, "cgroup left cpu.max max 60000" },
		{ 2, "cgroup right cpuset.cpus " },
		{ 2, "cgroup right cpu.idle 0" },
		{ 2, "cgroup right cgroup.events populated 1 frozen 1" },
		{ 2, "task r/0 cgroup right/in policy 0 nice 0 rt 0 cpus 0-3" },
		{ 3, "cgroup right cgroup.events populated 1 frozen 0" },
		{ 3, "task r/0 cgroup right/in policy 0 nice 0 rt 0 cpus 0-3" },
	};

	ASSERT_EQ(t, look_count(), 5);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		look_has(t, rows[i].look, rows[i].line);
	EXPECT_NULL(t, look_find(3, "cgroup left "));
	EXPECT_NULL(t, look_find(3, "task l/0 "));
	EXPECT_NULL(t, look_find(4, "cgroup right "));
	EXPECT_NULL(t, look_find(4, "cgroup right/in "));
	EXPECT_NULL(t, look_find(4, "task r/0 "));
	look_clean(t);
}

KTSTR_TEST(engine_changes_cgroups) = {
	.about =
		"CPUs, memory, weight, quota and freezing change while workers run, and cgroups go",
	.topology = { .nodes = 2, .llcs = 2, .cores_per_llc = 2 },
	.scenario = &cgroup_ops,
	.run = cgroups_change,
};

/* --- operations on workers ------------------------------------------------------------------------ */

static const struct ktstr_scenario work_ops = {
	.about = "workers change as operations say",
	.steps = {
		{ .cgroups = { { .name = "left", .cpus = "llc:0" }, { .name = "right", .cpus = "llc:1" } },
		  .works = { { .name = "p", .cgroup = "left", .type = KTSTR_WORK_spin, .count = 2 },
			     { .name = "t", .cgroup = "left", .type = KTSTR_WORK_spin, .count = 2,
			       .threads = true },
			     { .name = "s", .type = KTSTR_WORK_pipe_pair } },
		  .hold_ns = MSECS(50) },
		{ .works = { LOOK("look0") },
		  .ops = { { KTSTR_OP_move, "p", "right" },
			   { KTSTR_OP_move, "t", "right" },
			   { KTSTR_OP_set_nice, "p", "7" },
			   { KTSTR_OP_set_policy, "t", "batch" },
			   { KTSTR_OP_set_affinity, "t", "one:0" },
			   { KTSTR_OP_stop, "s", NULL } },
		  UNTIL("look0") },
		{ .works = { LOOK("look1") },
		  .ops = { { KTSTR_OP_set_policy, "p", "idle" },
			   { KTSTR_OP_set_affinity, "t", "inherit" },
			   { KTSTR_OP_set_nice, "t", "-3" },
			   { KTSTR_OP_move, "p", "left" } },
		  UNTIL("look1") },
	},
};

static void workers_change(struct ktstr *t)
{
	look_has(t, 0, "task p/0 cgroup right policy 0 nice 7 rt 0 cpus 2-3");
	look_has(t, 0, "task p/1 cgroup right policy 0 nice 7 rt 0 cpus 2-3");
	look_has(t, 0, "task t/0 cgroup right policy 3 nice 0 rt 0 cpus 2");
	look_has(t, 0, "task t/1 cgroup right policy 3 nice 0 rt 0 cpus 2");
	EXPECT_NULL(t, look_find(0, "task s/0 "));
	EXPECT_NULL(t, look_find(0, "task s/1 "));
	look_has(t, 1, "task p/1 cgroup left policy 5 nice 7 rt 0 cpus 0-1");
	look_has(t, 1, "task t/1 cgroup right policy 3 nice -3 rt 0 cpus 2-3");
	look_clean(t);
}

KTSTR_TEST(engine_changes_workers) = {
	.about = "cgroup, affinity, policy and nice value of workers change, and workers stop",
	.topology = { .llcs = 2, .cores_per_llc = 2 },
	.scenario = &work_ops,
	.run = workers_change,
};

/* --- CPUs ------------------------------------------------------------------------------------------ */

static const struct ktstr_scenario hotplug = {
	.about = "CPUs come and go",
	.steps = {
		{ .cgroups = { { .name = "right", .cpus = "llc:1" } },
		  .works = { { .name = "r", .cgroup = "right", .type = KTSTR_WORK_spin, .count = 2 },
			     LOOK("look0") },
		  .ops = { { KTSTR_OP_cpu_offline, "3", NULL }, { KTSTR_OP_cpu_offline, "one:1", NULL } },
		  UNTIL("look0") },
		{ .works = { LOOK("look1") },
		  .ops = { { KTSTR_OP_cpu_online, "3", NULL } },
		  UNTIL("look1") },
	},
};

static void cpus_come_and_go(struct ktstr *t)
{
	look_has(t, 0, "online 0,2");
	look_has(t, 0, "cgroup right cpuset.cpus.effective 2");
	look_has(t, 0, "task r/0 cgroup right policy 0 nice 0 rt 0 cpus 2");
	look_has(t, 1, "online 0,2-3");
	look_has(t, 1, "cgroup right cpuset.cpus.effective 2-3");
	look_clean(t);
}

KTSTR_TEST(engine_takes_cpus_away) = {
	.about = "CPUs go off line and come back, at the latest when the scenario ends",
	.topology = { .llcs = 2, .cores_per_llc = 2 },
	.scenario = &hotplug,
	.run = cpus_come_and_go,
};

/* --- events ---------------------------------------------------------------------------------------- */

static const struct ktstr_scenario events = {
	.about = "steps end by events",
	.steps = {
		{ .works = { { .name = "short", .type = KTSTR_WORK_once, .count = 2 } },
		  .until = "done short",
		  .hold_ns = SECS(20) },
		{ .works = { { .name = "pairs", .type = KTSTR_WORK_pipe_pair }, LOOK("look0") },
		  .until = "iterations pairs 200",
		  .hold_ns = SECS(20) },
		{ .works = { LOOK("look1") }, UNTIL("look1") },
	},
	.checks = { KTSTR_HOLDS(step_ends), KTSTR_HOLDS(completion) },
};

static void events_end_steps(struct ktstr *t)
{
	look_has(t, 0, "task pairs/1 cgroup . policy 0 nice 0 rt 0 cpus 0-3");
	EXPECT_EQ(t, look_count(), 2);
}

KTSTR_TEST(engine_ends_steps_by_events) = {
	.about = "a step goes on until its workers are done, or did a number of iterations",
	.topology = { .llcs = 2, .cores_per_llc = 2 },
	.scenario = &events,
	.run = events_end_steps,
};

/* --- memory ---------------------------------------------------------------------------------------- */

static const struct ktstr_scenario locality = {
	.about = "workers run near their memory",
	.steps = { {
		.cgroups = { { .name = "right", .mems = "nodes:1" }, { .name = "right/in" } },
		.works = { { .name = "bound",
			     .type = KTSTR_WORK_spin,
			     .memory = "bind:1",
			     .affinity = "node:1" },
			   { .name = "below",
			     .type = KTSTR_WORK_spin,
			     .cgroup = "right/in",
			     .affinity = "node:1" } },
		.hold_ns = MSECS(100),
	} },
	.checks = { KTSTR_AT_LEAST(local_percent, 100, .work = "bound"),
		    KTSTR_AT_LEAST(local_percent, 100, .work = "below") },
};

KTSTR_TEST(engine_tells_time_near_memory) = {
	.about = "the time that workers run on the node of their memory is known",
	.topology = { .nodes = 2, .llcs = 2, .cores_per_llc = 2 },
	.scenario = &locality,
};

KTSTR_MAIN
