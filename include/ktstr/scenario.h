/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * scenario.h - what happens in a guest, as data: cgroups, workers, steps, and what must hold.
 *
 *	KTSTR_TEST(two_llcs_share_fairly) = {
 *		.about = "two busy cgroups, one per LLC, both make progress",
 *		.topology = { .llcs = 2, .cores_per_llc = 2 },
 *		.scheduler = &mine,
 *		.scenario = &(const struct ktstr_scenario){
 *			.steps = { {
 *				.cgroups = { { .name = "left", .cpus = "llc:0" },
 *					     { .name = "right", .cpus = "llc:1" } },
 *				.works = { { .name = "l", .cgroup = "left", .type = KTSTR_WORK_spin },
 *					   { .name = "r", .cgroup = "right", .type = KTSTR_WORK_spin } },
 *				.hold_ns = SECS(1),
 *			} },
 *			.checks = { KTSTR_AT_MOST(gap_ns, MSECS(100)) },
 *		},
 *	};
 *
 * A step makes its cgroups, starts its workers, then does its operations in order, then lets time
 * pass until its end.  What a step made stays until an operation removes it; at the end of the
 * scenario everything is gone.  Names are unique within a scenario, and a name that nothing has is
 * an error, found before a guest is started.  Rows end at the first that is zero.
 *
 * CPUs (a cgroup's cpuset, a worker's affinity) are words, read against the machine's topology:
 *
 *	"all"			all CPUs
 *	"cpus:0-3,7"		exactly these
 *	"llc:1" "node:0"	those of an LLC or NUMA node, counted from 0
 *	"core:2"		all threads of a core
 *	"smt:0"			the first thread of every core; "smt:1": the second
 *	"range:25-75%"		from a quarter to three quarters of them, at least one
 *	"disjoint:1/3"		the second of three parts as equal as can be
 *	"overlap:0/2:50%"	the same, but each part reaches that share of its size into the next one,
 *				and the last into the first
 *	"one:3"			the fourth of them
 *	"random:2"		two of them, by the seed; drawn anew for each worker
 *	"inherit"		no restriction of its own (affinity only; the default)
 *
 * For a cpuset "them" are the CPUs of the parent; for an affinity those of the worker's cgroup.
 * Nothing left over, a part that does not exist, or more parts than CPUs is an error.
 *
 * Memory: "nodes:0-1" for cpuset.mems; for a worker's policy "local", "bind:0", "interleave:0-1",
 * "preferred:1".  Policy: "normal", "batch", "idle", "fifo:50", "rr:10", "ext",
 * "deadline:2ms/10ms/20ms" (runtime, deadline, period).  Quota: "50ms/100ms", "150%" or "max".
 *
 * Events that end a step: "scheduler gone", "done WORK" (all its workers have ended),
 * "iterations WORK N" (each of its workers did N since the step began).
 */
#ifndef KTSTR_SCENARIO_H
#define KTSTR_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ktstr/api.h>
#include <ktstr/error.h>
#include <ktstr/topology.h>

enum {
	KTSTR_SCENARIO_STEPS = 8,
	KTSTR_SCENARIO_CHECKS = 16,
	KTSTR_SCENARIO_NEEDS_OPS = 4,
	KTSTR_SCENARIO_NAME = 48, /* bytes of any name in a scenario, terminator included */
	KTSTR_SCENARIO_WORKERS = 1024,
	KTSTR_STEP_CGROUPS = 8,
	KTSTR_STEP_WORKS = 8,
	KTSTR_STEP_OPS = 8,
	KTSTR_WORK_PARAMS = 4,
	KTSTR_WORK_ARGS = 16,
	KTSTR_SCHEDULER_ARGS = 16,
	KTSTR_SCHEDULER_FILES = 8,
	KTSTR_SCHEDULER_FLAGS = 8,
	KTSTR_SCHEDULER_CHECKS = 16,
	KTSTR_FLAG_LINKS = 4,
	KTSTR_SCENARIO_STAGED = 4
};

enum ktstr_work_type {
#define WORK_TYPE(name, group, about, params) KTSTR_WORK_##name,
#include <ktstr/work_types.def>
	KTSTR_WORK_TYPES
};

enum ktstr_step_op_kind {
	KTSTR_OP_none,
#define OP(name, target, argument, about) KTSTR_OP_##name,
#include <ktstr/ops.def>
	KTSTR_OP_KINDS
};

enum ktstr_check_id {
	KTSTR_JUDGE_none,
#define CHECK(name, kind, relation, unit, subject, about) KTSTR_JUDGE_##name,
#include <ktstr/checks.def>
	KTSTR_JUDGE_CHECKS
};

/* Given to a custom worker. */
struct ktstr_work_context {
	uint32_t index, count;				/* of its row's workers */
	uint64_t seed;					/* its own */
	const volatile bool *stop;			/* return soon when it is set */
	void (*did)(void *handle, uint64_t iterations); /* tell that something got done */
	void *handle;
};

struct ktstr_cgroup {
	const char *name;	 /* "left", "left/inner"; below the scenario's own cgroup */
	const char *cpus, *mems; /* NULL: the parent's */
	const char *quota;	 /* cpu.max; NULL: none */
	uint32_t weight;	 /* cpu.weight, 1 to 10000; 0: leave it at 100 */
	bool idle;		 /* cpu.idle */
};

struct ktstr_work {
	const char *name;
	enum ktstr_work_type type;
	/* Workers, a multiple of the type's group.  percent: that share of the number of CPUs of its
	 * cgroup, rounded up to whole groups, instead of count.  Both 0: one group. */
	uint32_t count, percent;
	const char *cgroup; /* NULL: the scenario's own */
	const char *affinity, *policy, *memory;
	int32_t nice;
	bool threads;			    /* of one process; else each is a process */
	uint64_t params[KTSTR_WORK_PARAMS]; /* as in work_types.def; 0: its default */
	uint64_t iterations;		    /* end after that many; 0: until stopped */
	const char *program;		    /* type program: as in struct ktstr_payload */
	const char *args[KTSTR_WORK_ARGS];
	void (*run)(const struct ktstr_work_context *context); /* type custom; C tests only */
};

struct ktstr_step_op {
	enum ktstr_step_op_kind kind;
	const char *target, *argument; /* as ops.def says; CPU: its number, or words of one CPU */
};

struct ktstr_step {
	const char *name; /* NULL: "step1", "step2", ... */
	struct ktstr_cgroup cgroups[KTSTR_STEP_CGROUPS];
	struct ktstr_work works[KTSTR_STEP_WORKS];
	struct ktstr_step_op ops[KTSTR_STEP_OPS];
	uint64_t hold_ns;  /* how long it lasts */
	const char *until; /* or the event that ends it: then hold_ns is its limit */
};

/* One demand.  Names narrow it to a row of works, a cgroup or a step; NULL: all it can mean. */
struct ktstr_demand {
	enum ktstr_check_id check;
	bool off; /* nothing is demanded: takes back what a more general layer demands */
	double bound;
	const char *work, *cgroup, *step;
};

#define KTSTR_AT_MOST(check_, bound_, ...)                                            \
	{                                                                             \
		.check = KTSTR_JUDGE_##check_, .bound = (double)(bound_), __VA_ARGS__ \
	}
#define KTSTR_AT_LEAST(check_, bound_, ...) KTSTR_AT_MOST(check_, bound_, __VA_ARGS__)
#define KTSTR_HOLDS(check_, ...)                           \
	{                                                  \
		.check = KTSTR_JUDGE_##check_, __VA_ARGS__ \
	}
#define KTSTR_NOT_DEMANDED(check_)                         \
	{                                                  \
		.check = KTSTR_JUDGE_##check_, .off = true \
	}

/* What machine a scenario makes sense on; 0: any. */
struct ktstr_limits {
	uint32_t cpus_min, cpus_max, llcs_min, nodes_min, threads_min; /* threads per core */
};

/* A switch of a scheduler's command line. */
struct ktstr_scheduler_flag {
	const char *name;
	const char *args[KTSTR_FLAG_LINKS];
	const char *requires[KTSTR_FLAG_LINKS], *excludes[KTSTR_FLAG_LINKS]; /* names of others */
};

/* A scheduler under test; no binary: the kernel's own. */
struct ktstr_scheduler {
	const char *name;
	const char *binary; /* path, or a name as in struct ktstr_payload */
	const char *args[KTSTR_SCHEDULER_ARGS];
	const char *files[KTSTR_SCHEDULER_FILES]; /* as in struct ktstr_payload */
	struct ktstr_scheduler_flag flags[KTSTR_SCHEDULER_FLAGS];
	struct ktstr_demand checks[KTSTR_SCHEDULER_CHECKS];
	uint64_t attach_timeout_ns; /* 0: 60 s for each CPU of the guest, at most 600 s */
};

struct ktstr_scenario {
	const char *name;  /* of a catalogue's; may be NULL in a test */
	const char *about; /* what it promises, one sentence */
	const char *group;
	struct ktstr_limits limits;
	/* sched_ext_ops without which a scheduler promises nothing here, "cgroup_set_weight": SKIP. */
	const char *needs_ops[KTSTR_SCENARIO_NEEDS_OPS];
	const struct ktstr_scheduler *staged[KTSTR_SCENARIO_STAGED]; /* for replace */
	struct ktstr_step steps[KTSTR_SCENARIO_STEPS];
	struct ktstr_demand checks[KTSTR_SCENARIO_CHECKS];
};

/* --- the tables behind the .def files ---------------------------------------------------------- */

struct ktstr_work_param {
	const char *name;
	uint64_t fallback, lowest, highest;
};

struct ktstr_work_info {
	const char *name, *about;
	uint32_t group; /* 0: the parameter "group" says it */
	uint32_t reserved;
	struct ktstr_work_param params[KTSTR_WORK_PARAMS]; /* up to the first without a name */
};

enum ktstr_op_word {
	KTSTR_WORD_NONE,
	KTSTR_WORD_CGROUP,
	KTSTR_WORD_WORK,
	KTSTR_WORD_CPU,
	KTSTR_WORD_CPUS,
	KTSTR_WORD_MEMS,
	KTSTR_WORD_POLICY,
	KTSTR_WORD_NUMBER,
	KTSTR_WORD_QUOTA,
	KTSTR_WORD_SCHEDULER
};

struct ktstr_step_op_info {
	const char *name, *about;
	enum ktstr_op_word target, argument;
};

enum ktstr_check_kind { KTSTR_INVARIANT, KTSTR_TIMING };
enum ktstr_check_relation { KTSTR_HOLDS_ALWAYS, KTSTR_BOUND_ABOVE, KTSTR_BOUND_BELOW };
enum ktstr_check_subject {
	KTSTR_SUBJECT_RUN,
	KTSTR_SUBJECT_WORKER,
	KTSTR_SUBJECT_WORK,
	KTSTR_SUBJECT_CGROUP,
	KTSTR_SUBJECT_CPU
};

struct ktstr_check_info {
	const char *name, *unit, *about;
	enum ktstr_check_kind kind;
	enum ktstr_check_relation relation;
	enum ktstr_check_subject subject;
	uint32_t reserved;
};

/**
 * ktstr_work_info() - a row of work_types.def.
 * @type:	any
 *
 * Return: the row, or NULL if there is none.
 */
KTSTR_API const struct ktstr_work_info *ktstr_work_info(enum ktstr_work_type type);

/**
 * ktstr_step_op_info() - a row of ops.def.
 * @kind:	any
 *
 * Return: the row, or NULL if there is none.
 */
KTSTR_API const struct ktstr_step_op_info *ktstr_step_op_info(enum ktstr_step_op_kind kind);

/**
 * ktstr_check_info() - a row of checks.def.
 * @check:	any
 *
 * Return: the row, or NULL if there is none.
 */
KTSTR_API const struct ktstr_check_info *ktstr_check_info(enum ktstr_check_id check);

/**
 * ktstr_scenario_check() - can this scenario be run at all?
 * @scenario:	what to look at
 * @topology:	zero fields count as 1; NULL: whatever holds for all machines
 * @err:	names the row and what is wrong with it; may be NULL
 *
 * Return: 0; -EINVAL (a name that nothing has or that two have, words that make no sense, bounds
 * that contradict each other, no step, a step without end); -ERANGE (not on this topology: too few
 * CPUs, LLCs or nodes, a cpuset without CPUs, more workers than a guest can hold).
 */
KTSTR_API int ktstr_scenario_check(const struct ktstr_scenario *scenario,
				   const struct ktstr_topology *topology,
				   struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
