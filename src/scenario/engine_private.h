/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * engine_private.h - the engine's state, and what its files do for each other.
 *
 *	engine.c	  the order of things
 *	engine_tree.c	  cgroups
 *	engine_rows.c	  rows of workers: started, placed, let go, ended
 *	engine_ops.c	  what a step changes
 *	engine_step.c	  one step: set up, let time pass, read
 *	engine_watch.c	  who waits for a CPU
 *	engine_cpus.c	  CPUs: on and off line, busy, interrupted
 *	engine_sched.c	  the scheduler under test
 *	engine_tell.c	  records
 */
#ifndef KTSTR_SCENARIO_ENGINE_PRIVATE_H
#define KTSTR_SCENARIO_ENGINE_PRIVATE_H

#include <sys/types.h>

#include "base/prng.h"
#include "cgroup/cgroup.h"
#include "cgroup/change.h"
#include "scenario/engine.h"
#include "scenario/records.h"
#include "scenario/words.h"
#include "sched/attach.h"
#include "sched/watch.h"
#include "work/worker.h"

enum {
	ENGINE_ROWS = KTSTR_SCENARIO_STEPS * KTSTR_STEP_WORKS,
	ENGINE_TREE = KTSTR_SCENARIO_STEPS * KTSTR_STEP_CGROUPS + 1,
	ENGINE_CPUS = CPUSET_WORDS * 64,
	ENGINE_LIST = 1024, /* bytes of a list of CPUs */
	/* Streams of the seed; those of a row follow, in the order of rows. */
	ENGINE_STREAM_WORDS = 16,
	ENGINE_STREAM_ROWS = 32
};

/* How often a step that lasts is looked at. */
#define ENGINE_TICK_NS MSECS(10)
/* Every so many looks the scheduler's state is not all that is looked at. */
#define ENGINE_TICKS_PER_POLL 50
/* Longer than any watchdog of sched_ext, and how often it is asked for meanwhile. */
#define ENGINE_WATCHDOG_NS SECS(32)
#define ENGINE_PATIENCE_NS MSECS(100)
/* Workers that were asked to end get that long before they are killed. */
#define ENGINE_STOP_NS SECS(2)

struct engine_reading {
	bool has;
	uint64_t at_ns, cpu_ns, delay_ns;
};

struct engine_member {
	struct cpuset affinity; /* what it was bound to; all: it was not */
	struct cpuset allowed;	/* by affinity, cpuset and CPUs that are there */
	uint64_t began_ns;	/* its window in this step */
	struct engine_reading begin;
};

struct engine_row {
	const struct ktstr_work *work;
	struct work_traits traits;
	struct work_row *row; /* NULL: ended */
	uint32_t count;
	const char *cgroup; /* "": the scenario's own */
	const char *policy; /* words */
	int nice;
	uint64_t memory_nodes; /* of its policy; 0: it has none that names nodes */
	bool let_go;
	struct engine_member *members;
};

struct engine_group {
	const char *name; /* "": the scenario's own */
	struct cpuset cpus;
	uint64_t nodes;		     /* cpuset.mems of its own; 0: its parent's */
	bool told_to_freeze, frozen; /* frozen: itself or one above it was told to */
	bool has_begin, has_end;
	uint64_t begin_ns, end_ns; /* when they were read */
	struct cgroup_stat begin, end;
};

struct engine_cpu {
	bool has_kicks;
	uint64_t kicks; /* rescheduling interrupts since boot */
};

struct engine {
	const struct engine_opts *opts;
	const struct ktstr_scenario *scenario;
	struct ktstr_shape shape; /* of the machine with all its CPUs */
	struct cpuset all, online;
	struct prng chance;
	struct cgroups *cgroups;
	struct changer *changer;	       /* of files of sysfs */
	struct engine_group tree[ENGINE_TREE]; /* the first: the scenario's own */
	size_t nr_tree;
	struct engine_row rows[ENGINE_ROWS];
	size_t nr_rows;
	uint64_t rows_begun; /* also those that are gone: the stream of the next */
	uint32_t step;
	uint64_t begin_ns; /* of the step's window */
	struct engine_cpu cpus[ENGINE_CPUS];
	struct watch *watch; /* NULL: why_no_watch says why */
	char why_no_watch[1024];
	struct scheduler *scheduler;
	int state_fd; /* of sched_ext's state; -1: none */
	bool attached;
	bool broken; /* a scheduler that was to be there is not */
	struct sched_events run_events, step_events;
	json_int_t records;
	json_t *held;	 /* records that are sent only if the run is not skipped; NULL: send */
	char skip[1024]; /* a need that is not met; "": none */
};

/* --- records --------------------------------------------------------------------------------- */

/* An object with "kind" and "step"; NULL for lack of memory, which engine_send() takes. */
json_t *engine_record(const struct engine *e, const char *kind);
void engine_set_u64(json_t *record, const char *key, uint64_t value);
void engine_set_text(json_t *record, const char *key, const char *text);
void engine_set_cpus(json_t *record, const char *key, const struct cpuset *set);
/* Takes @record. */
void engine_send(struct engine *e, json_t *record);
/* Sends what was held back. */
void engine_send_held(struct engine *e);
/* What sched_ext counted since @begin, in a record of the step or of the whole run; nothing without a
 * scheduler or its counters. */
void engine_tell_counters(struct engine *e, const struct sched_events *begin, bool of_step);
/* Of the step that ends: rows, workers, cgroups, CPUs. */
void engine_tell_step(struct engine *e);
const char *engine_step_name(const struct engine *e, uint32_t step, char *buf, size_t size);

/* --- cgroups --------------------------------------------------------------------------------- */

int engine_tree_create(struct engine *e, struct ktstr_error *err) KTSTR_MUST_CHECK;
struct engine_group *engine_group(struct engine *e, const char *name);
int engine_group_make(struct engine *e, const struct ktstr_cgroup *cgroup,
		      struct ktstr_error *err) KTSTR_MUST_CHECK;
/* Workers in it must have been ended. */
int engine_group_remove(struct engine *e, const char *name,
			struct ktstr_error *err) KTSTR_MUST_CHECK;
bool engine_is_below(const char *name, const char *ancestor);
/* The words are read against the parent's CPUs. */
int engine_group_set_cpus(struct engine *e, const char *name, const char *words,
			  struct ktstr_error *err) KTSTR_MUST_CHECK;
int engine_group_set_mems(struct engine *e, const char *name, const char *words,
			  struct ktstr_error *err) KTSTR_MUST_CHECK;
int engine_group_set_quota(struct engine *e, const char *name, const char *words,
			   struct ktstr_error *err) KTSTR_MUST_CHECK;
int engine_group_freeze(struct engine *e, const char *name, bool freeze,
			struct ktstr_error *err) KTSTR_MUST_CHECK;
/* Reads the CPUs of all cgroups anew. */
int engine_tree_refresh(struct engine *e, struct ktstr_error *err) KTSTR_MUST_CHECK;
void engine_tree_begin(struct engine *e);
void engine_tree_end(struct engine *e);
void engine_tell_group(struct engine *e, const struct engine_group *group);

/* --- rows ------------------------------------------------------------------------------------ */

int engine_row_start(struct engine *e, const struct ktstr_work *work,
		     struct ktstr_error *err) KTSTR_MUST_CHECK;
struct engine_row *engine_row(struct engine *e, const char *name);
int engine_row_move(struct engine *e, struct engine_row *row, const char *cgroup,
		    struct ktstr_error *err) KTSTR_MUST_CHECK;
int engine_row_set_affinity(struct engine *e, struct engine_row *row, const char *words,
			    struct ktstr_error *err) KTSTR_MUST_CHECK;
/* @policy: words; NULL: the one it has. */
int engine_row_set_policy(struct engine *e, struct engine_row *row, const char *policy, int nice,
			  struct ktstr_error *err) KTSTR_MUST_CHECK;
/* Near the memory that its policy or its cgroups name; none: nothing names it. */
void engine_near_cpus(struct engine *e, const struct engine_row *row, struct cpuset *ret_near);
/* Ends its workers; those that do not hear it are killed. */
void engine_row_end(struct engine *e, struct engine_row *row);
/* Everywhere is allowed until engine_rows_allow() is called. */
void engine_rows_allow_all(struct engine *e);
/* Finds out where workers may run, and tells those who watch them; @grace_ns from now on. */
void engine_rows_allow(struct engine *e, uint64_t grace_ns);
/* A window begins: new rows are let go. */
void engine_rows_begin(struct engine *e);

/* --- the rest -------------------------------------------------------------------------------- */

int engine_op(struct engine *e, const struct ktstr_step_op *op,
	      struct ktstr_error *err) KTSTR_MUST_CHECK;

/* NEVER: its scheduler went while it was set up. */
enum engine_ended { ENDED_TIME, ENDED_EVENT, ENDED_LIMIT, ENDED_BROKEN, ENDED_NEVER };
int engine_step(struct engine *e, enum engine_ended *ret_ended,
		struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Unless it is open, or was found to be impossible. */
void engine_watch_open(struct engine *e);
/* Before what takes so long that events would be lost; it forgets everything. */
void engine_watch_close(struct engine *e);
/* Every WATCH_RELIEVE_MS while a window is open. */
void engine_watch_relieve(struct engine *e);
/* Takes in what has happened. */
void engine_watch_drain(struct engine *e);
void engine_watch_track(struct engine *e, const struct engine_row *row, uint32_t index,
			uint64_t now_ns);
void engine_watch_begin(struct engine *e);
/* Return: whether there is a reading of this worker in the window up to @now_ns. */
bool engine_watch_read(struct engine *e, pid_t tid, uint64_t now_ns, struct watch_wait *ret_wait);
/* An array of {who, ns}. */
void engine_set_holders(json_t *record, const char *key, const struct watch_holder *holders,
			uint32_t nr);
void engine_tell_wait(struct engine *e, const struct engine_row *row, uint32_t index,
		      const struct watch_wait *wait);

/* "3", or words of one CPU. */
int engine_cpu_number(struct engine *e, const char *words, uint32_t *ret_cpu,
		      struct ktstr_error *err) KTSTR_MUST_CHECK;
bool engine_cpu_has_switch(const struct engine *e, uint32_t cpu);
int engine_cpu_set(struct engine *e, uint32_t cpu, bool online,
		   struct ktstr_error *err) KTSTR_MUST_CHECK;
int engine_cpus_refresh(struct engine *e, struct ktstr_error *err) KTSTR_MUST_CHECK;
void engine_cpus_begin(struct engine *e);
void engine_tell_cpus(struct engine *e, uint64_t now_ns);
/* Of the row "RES" of /proc/interrupts.  Return: 0, -ENODATA, -EINVAL. */
int engine_kicks_parse(const char *text, struct engine_cpu cpus[ENGINE_CPUS]) KTSTR_MUST_CHECK;

int engine_attach(struct engine *e, const struct ktstr_scheduler *scheduler,
		  struct ktstr_error *err) KTSTR_MUST_CHECK;
int engine_detach(struct engine *e, struct ktstr_error *err) KTSTR_MUST_CHECK;
/* Writes into skip which operation the scheduler lacks that the scenario needs. */
void engine_check_ops(struct engine *e);
/* Return: whether it is attached, or need not be.  What happened to it is told. */
bool engine_scheduler_is_fine(struct engine *e);
/* The same at a small part of the cost; may overlook an end for a while that the kernel does not see. */
bool engine_scheduler_seems_fine(struct engine *e);

#endif
