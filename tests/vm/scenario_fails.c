// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* What cannot be done ends a scenario with a text that names it, and leaves nothing behind. */
#include <errno.h>
#include <string.h>

#include <ktstr/test.h>

#include "../lib/look.h"
#include "scenario/engine.h"

#define HOGS                                                                              \
	{                                                                                 \
		.name = "hogs", .type = KTSTR_WORK_spin, .cgroup = "left", .percent = 100 \
	}
#define LEFT                                       \
	{                                          \
		.name = "left", .cpus = "cpus:0-1" \
	}
/* A second step with one operation. */
#define AFTER(...)                                                                 \
	.steps = {                                                                 \
		{ .cgroups = { LEFT },                                             \
		  .works = { HOGS },                                               \
		  .hold_ns = MSECS(20),                                            \
		  .ops = { { KTSTR_OP_freeze, "left", NULL } } },                  \
		{ .ops = { { KTSTR_OP_cpu_offline, "3", NULL }, { __VA_ARGS__ } }, \
		  .hold_ns = MSECS(20) },                                          \
	}

static const struct {
	struct ktstr_scenario scenario;
	int result;
	const char *text;
} rows[] = {
	{ { AFTER(KTSTR_OP_set_cpus, "nobody", "all") }, -EINVAL, "no cgroup 'nobody'" },
	{ { AFTER(KTSTR_OP_freeze, "nobody", NULL) }, -EINVAL, "no cgroup 'nobody'" },
	{ { AFTER(KTSTR_OP_remove_cgroup, "nobody", NULL) }, -EINVAL, "no cgroup 'nobody'" },
	{ { AFTER(KTSTR_OP_swap_cpus, "left", "nobody") }, -EINVAL, "no cgroup 'nobody'" },
	{ { AFTER(KTSTR_OP_set_weight, "nobody", "7") }, -ENOENT, "no cgroup 'nobody'" },
	{ { AFTER(KTSTR_OP_set_weight, "left", "20000") }, -ERANGE, "left/cpu.weight': '20000'" },
	{ { AFTER(KTSTR_OP_set_weight, "left", "x") }, -EINVAL, "'x' is no number" },
	{ { AFTER(KTSTR_OP_set_mems, "left", "nodes:7") }, -EINVAL, "left/cpuset.mems': '7'" },
	{ { AFTER(KTSTR_OP_set_cpus, "left", "llc:9") }, -ERANGE, "'llc:9'" },
	{ { AFTER(KTSTR_OP_move, "nobody", "left") }, -EINVAL, "no workers 'nobody'" },
	{ { AFTER(KTSTR_OP_move, "hogs", "nobody") }, -EINVAL, "no cgroup 'nobody'" },
	{ { AFTER(KTSTR_OP_stop, "nobody", NULL) }, -EINVAL, "no workers 'nobody'" },
	{ { AFTER(KTSTR_OP_set_affinity, "hogs", "one:2") }, -ERANGE, "'one:2'" },
	{ { AFTER(KTSTR_OP_set_policy, "hogs", "best") }, -EINVAL, "'best'" },
	{ { AFTER(KTSTR_OP_set_nice, "hogs", "20") }, -EINVAL, "not to 20" },
	{ { AFTER(KTSTR_OP_cpu_offline, "99", NULL) }, -ERANGE, "no CPU 99" },
	{ { AFTER(KTSTR_OP_cpu_offline, "llc:0", NULL) }, -EINVAL, "not one CPU but 2" },
	{ { AFTER(KTSTR_OP_replace, NULL, "nobody") }, -EINVAL, "no scheduler 'nobody'" },
	{ { AFTER(KTSTR_OP_thaw, NULL, NULL) }, -EINVAL, "it has not the words" },
	{ { .steps = { { .cgroups = { { .name = "none", .cpus = "cpus:0-9" } },
			 .hold_ns = MSECS(20) } } },
	  -ERANGE,
	  "'cpus:0-9'" },
	{ { .steps = { { .cgroups = { LEFT, LEFT }, .hold_ns = MSECS(20) } } },
	  -EEXIST,
	  "cgroup 'left' already" },
	{ { .steps = { { .cgroups = { { .name = "a/b" } }, .hold_ns = MSECS(20) } } },
	  -ENOENT,
	  "no cgroup 'a'" },
	{ { .steps = { { .works = { HOGS }, .hold_ns = MSECS(20) } } },
	  -EINVAL,
	  "no cgroup 'left'" },
	{ { .steps = { { .cgroups = { LEFT }, .works = { HOGS, HOGS }, .hold_ns = MSECS(20) } } },
	  -EINVAL,
	  "'hogs' are there already" },
	{ { .steps = { { .cgroups = { LEFT },
			 .works = { HOGS },
			 .until = "done nobody",
			 .hold_ns = MSECS(20) } } },
	  -EINVAL,
	  "no workers 'nobody'" },
	{ { .steps = { { .works = { { .name = "d",
				      .type = KTSTR_WORK_spin,
				      .count = 8,
				      .policy = "deadline:90ms/100ms/100ms" } },
			 .hold_ns = MSECS(20) } } },
	  -EBUSY,
	  "the policy of worker 'd/" },
	{ { .steps = { { .works = { { .name = "many",
				      .type = KTSTR_WORK_spin,
				      .count = KTSTR_SCENARIO_WORKERS + 1 } },
			 .hold_ns = MSECS(20) } } },
	  -ERANGE,
	  "over the limit" },
	{ { .steps = { { .works = { { .name = "p",
				      .type = KTSTR_WORK_program,
				      .program = "/no/such/program" } },
			 .hold_ns = MSECS(20) } } },
	  -ENOENT,
	  "is not in the guest" },
};

struct seen {
	unsigned int records, ends, clean;
	char skip[256];
};

static void take(void *arg, json_t *record)
{
	struct seen *seen = arg;
	const char *kind = json_string_value(json_object_get(record, "kind"));

	seen->records++;
	if (kind && !strcmp(kind, "end")) {
		seen->ends++;
		seen->clean += json_is_true(json_object_get(record, "clean"));
		if (json_integer_value(json_object_get(record, "records")) != seen->records)
			seen->ends = 99;
	}
	json_decref(record);
}

static void skip(void *arg, const char *text)
{
	struct seen *seen = arg;

	snprintf(seen->skip, sizeof(seen->skip), "%s", text);
}

static int run(const struct ktstr_scenario *scenario, struct seen *seen, struct ktstr_error *err)
{
	static struct scenario_job job;

	job = (struct scenario_job){ .scenario = *scenario };
	return engine_run(&(struct engine_opts){ .job = &job,
						 .seed = 1,
						 .cgroup_mount = "/sys/fs/cgroup",
						 .sysfs = "/sys",
						 .send = take,
						 .skip = skip,
						 .arg = seen },
			  err);
}

static void failures_are_told(struct ktstr *t)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ktstr_error err = { 0 };
		struct seen seen = { 0 };

		EXPECT_EQ(t, run(&rows[i].scenario, &seen, &err), rows[i].result);
		if (!strstr(err.text, rows[i].text))
			ktstr_fail_at(t, KTSTR_SITE("row", ""), "row %zu: '%s' is not in '%s'", i,
				      rows[i].text, err.text);
		EXPECT_EQ(t, seen.ends, 1);
		EXPECT_EQ(t, seen.clean, 1);
		look_clean(t);
	}
}

KTSTR_TEST(failed_scenarios_are_told_and_cleaned) = {
	.about = "what cannot be done is named, and cgroups, workers and CPUs are as before",
	.topology = { .llcs = 2, .cores_per_llc = 2 },
	.run = failures_are_told,
};

static void expect_skip(struct ktstr *t, const struct ktstr_scenario *scenario, const char *text)
{
	struct ktstr_error err = { 0 };
	struct seen seen = { 0 };

	EXPECT_EQ(t, run(scenario, &seen, &err), 0);
	ktstr_note(t, "%s", seen.skip);
	EXPECT_NOT_NULL(t, strstr(seen.skip, text));
	EXPECT_EQ(t, seen.records, 0);
	look_clean(t);
}

static void needs_are_told(struct ktstr *t)
{
	expect_skip(t, &(const struct ktstr_scenario){ AFTER(KTSTR_OP_restart, NULL, NULL) },
		    "there is none but the kernel's own");
	expect_skip(t, &(const struct ktstr_scenario){ AFTER(KTSTR_OP_cpu_offline, "0", NULL) },
		    "cannot take CPU 0 off line");
}

KTSTR_TEST(unmet_needs_skip_a_scenario) = {
	.about = "what this machine or scheduler cannot do is a skip before anything is started",
	.topology = { .llcs = 2, .cores_per_llc = 2 },
	.run = needs_are_told,
};

KTSTR_MAIN
