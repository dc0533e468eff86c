/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * judge_records.h - a scenario's records, decoded and linked with each other.
 *
 * The first thing that is not as scenario/records.h says is kept as damage; what it was found in is left
 * out, and reading goes on.  Texts are borrowed from the records.
 */
#ifndef KTSTR_CHECK_JUDGE_RECORDS_H
#define KTSTR_CHECK_JUDGE_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "scenario/model.h"
#include "scenario/records.h"
#include "scenario/words.h"

/* What a scenario can have at most; more is damage. */
enum {
	RECORDS_CPUS = 256,
	RECORDS_DAMAGE = 256,
	RECORDS_SCHEDULERS = 256,
	RECORDS_OPS = KTSTR_SCENARIO_STEPS * KTSTR_STEP_OPS,
	RECORDS_ROWS = KTSTR_SCENARIO_STEPS * KTSTR_SCENARIO_STEPS * KTSTR_STEP_WORKS,
	RECORDS_WORKERS = KTSTR_SCENARIO_STEPS * KTSTR_SCENARIO_WORKERS,
	RECORDS_CGROUPS = KTSTR_SCENARIO_STEPS * (KTSTR_SCENARIO_STEPS * KTSTR_STEP_CGROUPS + 1),
	RECORDS_CPU_RECORDS = KTSTR_SCENARIO_STEPS * RECORDS_CPUS
};

/* A number that may be missing. */
struct reading {
	bool known;
	uint64_t value;
};

enum step_end { STEP_TIME, STEP_EVENT, STEP_LIMIT, STEP_BROKEN };

struct rec_step {
	const char *name;
	bool begun, ended;
	uint64_t begin_ns, end_ns;
	enum step_end how;
	const char *event; /* NULL: none */
};

struct rec_demand {
	struct ktstr_demand demand;
	const char *from;
	bool built_in; /* layer "ktstr" */
	bool of_test;  /* layer "test" */
};

enum scheduler_event {
	SCHEDULER_ATTACHED,
	SCHEDULER_DETACHED,
	SCHEDULER_EJECTED,
	SCHEDULER_FAILED
};

struct rec_scheduler {
	enum scheduler_event event;
	uint64_t at_ns;
	struct reading exit_kind;
	const char *text, *ops, *story, *reason, *message; /* NULL but text: not known */
};

struct rec_op {
	uint64_t step;
	const char *op, *error;
};

struct rec_worker;

struct rec_row {
	uint64_t step, workers, priority;
	int64_t nice;
	const char *work, *type, *cgroup, *policy;
	bool busy, threads, ends;
	struct rec_worker **slots; /* @workers of them, NULL where none was told */
};

struct rec_wakes {
	bool known;
	uint64_t count;
	struct reading p50_ns, p99_ns, max_ns, max_at_ns;
};

enum worker_state { WORKER_RUNNING, WORKER_STOPPED, WORKER_ENDED, WORKER_MISSING };

struct rec_wait;

struct rec_worker {
	uint64_t step, index, tid, begin_ns, end_ns;
	const char *work, *cgroup, *trouble; /* trouble: NULL: none */
	struct reading iterations, units, cpu_ns, run_delay_ns, migrations;
	struct reading gap_ns, gap_begin_ns, gap_cpu;
	struct reading outside_ns, frozen_iterations, exit, signal, local_ns, remote_ns;
	struct cpuset allowed, outside, near; /* near: empty: not known */
	bool outside_known, frozen;
	enum worker_state state;
	struct rec_wakes wakes;
	const struct rec_row *row;
	const struct rec_wait *wait; /* NULL: none was told */
};

struct rec_holder {
	const char *who;
	uint64_t ns;
};

struct rec_wait {
	uint64_t step, index, wait_ns, begin_ns, idle_ns, lost;
	struct reading idle_begin_ns, idle_cpu, waits_ns, held_ns;
	const char *work;
	bool open;
	struct cpuset allowed;
	struct rec_holder holders[RECORDS_HOLDERS];
	size_t nr_holders;
};

struct rec_cgroup {
	uint64_t step, begin_ns, end_ns, quota_ns, period_ns;
	const char *cgroup, *parent;
	struct reading usage_ns, weight, throttled_ns;
	struct cpuset cpus;
	bool frozen, busy;
};

struct rec_cpu {
	uint64_t step, cpu;
	bool online;
	struct reading kicks, busy_ns, idle_ns;
	struct rec_holder ran[RECORDS_RAN];
	size_t nr_ran;
	bool ran_known;
};

struct records {
	const char *scenario, *scheduler, *watch;
	bool begun, ended, clean;
	uint64_t nr_cpus, steps_done;
	const char *left;	     /* NULL: nothing */
	char damage[RECORDS_DAMAGE]; /* "": none */
	struct rec_step steps[KTSTR_SCENARIO_STEPS];
	size_t nr_steps;
	struct rec_demand demands[MODEL_DEMANDS];
	size_t nr_demands;
	struct rec_scheduler *schedulers;
	struct rec_op *ops;
	struct rec_row *rows;
	struct rec_worker *workers;
	struct rec_wait *waits;
	struct rec_cgroup *cgroups;
	struct rec_cpu *cpus;
	size_t nr_schedulers, nr_ops, nr_rows, nr_workers, nr_waits, nr_cgroups, nr_cpu_records;
};

/* @whole: as in judge_run().  Return: 0, -ENOMEM. */
int records_read(const json_t *array, bool whole, struct records **ret_records) KTSTR_MUST_CHECK;
void records_free(struct records *records);

#endif
