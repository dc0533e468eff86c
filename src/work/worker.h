/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * worker.h - rows of workers: started, placed, let go, watched, stopped; and what they tell meanwhile.
 *
 * Life cycle of a struct work_row:
 *  1. work_row_start() makes all workers of a row: a process each, or with .threads one process with a
 *     thread each.  They do nothing but wait.  They have their names ("hogs/3" in /proc, cut to 15
 *     bytes; a program takes its own name when it starts) and tids, are in the caller's cgroup, and have
 *     policy normal, nice 0, no affinity and no timer slack, whatever the caller has.  A caller with a
 *     real-time policy starts them with it, so that a scheduler under test has no part in the set-up.
 *  2. The caller places them: cgroup, affinity, policy, nice.
 *  3. work_row_go() lets them go.  What they do is counted in the slot of a phase (a scenario's step),
 *     which work_row_set_phase() changes.
 *  4. work_row_read() and work_row_look() at any time; they wait for no worker.
 *  5. work_row_stop() asks them to end, work_row_reap() waits for that and kills the rest.  After it the
 *     telemetry is still there.
 *  6. work_row_destroy() kills what is left, with the children of workers, and frees all.
 *
 * Rows are used by one thread, which is the one that lives as long as they shall: they die with it
 * (PR_SET_PDEATHSIG).  Exits are collected in work_row_destroy() only, so that a pid stays what it is;
 * until then an ended worker is a zombie, which no cgroup counts.
 *
 * Signs of work.  A worker reads the clock and its CPU after each unit of work, and around whatever may
 * block: that is a sign.  A gap is the time in which it wanted to run and gave no sign: from one sign to
 * the next, but without the time that it waits of its own will.  It wants to run again
 *	from the time it asked for	sleeps (bursty, timer, futex_fanout's and herd's pauses, rt_hog, ...)
 *	from the moment its waker notes	right before the system call that wakes it (pipe_pair, futex_pair,
 *					futex_fanout, wake_chain, herd, mutex, queue, signals, epoll,
 *					inversion)
 * (so what keeps the waker between its note and the call counts as well)
 * and that time is also where its wake-up latency begins; it ends when the worker runs again and has
 * read the clock.  A worker that finds what it would have waited for there already gives no latency.
 * Work of the kernel for it (page faults) and of its children (forks) is its own time.  A gap that began
 * before a phase counts in it from its beginning only.  Of program only the end is known; the signs of
 * custom are what it tells.
 *
 * A worker writes its telemetry with plain stores to memory it shares with the caller: no system calls,
 * no locks, and a worker that is stopped in the middle keeps no reader waiting.
 */
#ifndef KTSTR_WORK_WORKER_H
#define KTSTR_WORK_WORKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <ktstr/error.h>
#include <ktstr/scenario.h>

enum {
	WORK_PHASES = KTSTR_SCENARIO_STEPS,
	WORK_CPU_WORDS = 4,  /* CPUs 0 to 255, as in struct cpuset */
	WORK_COMM_BYTES = 16 /* with the terminator */
};

struct work_row;

struct work_row_opts {
	const struct ktstr_work *work; /* borrowed until work_row_destroy() */
	uint32_t count;		       /* workers: a positive multiple of work_group_size() */
	uint64_t seed;		       /* of the row; each worker draws its own from it */
	/* Memory policy as for set_mempolicy(2); 0 (MPOL_DEFAULT): none. */
	int memory_mode;
	uint64_t memory_nodes;
	uint64_t timeout_ns; /* for all to be there; 0: 10 s */
};

/* What is known of a type without starting it. */
struct work_traits {
	uint32_t group; /* workers of one group */
	bool busy;	/* never sleeps of its own will */
	bool ends;	/* comes to an end by itself */
	bool tells;	/* iterations and gaps are known; of program they are not */
	bool wakes;	/* has wake-up latencies */
	bool changes_cpus, changes_policy; /* its own affinity; its own nice value or policy */
};
/* Return: 0, or -EINVAL (no such type, or a parameter out of its range). */
int work_traits(const struct ktstr_work *work, struct work_traits *ret_traits,
		struct ktstr_error *err) KTSTR_MUST_CHECK;
uint32_t work_group_size(const struct ktstr_work *work); /* at least 1 */
/* What it is, or its default; 0 for one that the type does not have. */
uint64_t work_param(const struct ktstr_work *work, uint32_t index);

/* Return: 0; -EINVAL (count, parameters), -ENOMEM, -EAGAIN (no more processes), -ETIMEDOUT (not all
 * came up in time), -ECHILD (one died before it was let go), -ENOENT and the like for program's binary
 * (payload_find_in_guest(); a path with a '/' is taken as it is); -errno.  On failure nothing is left. */
int work_row_start(const struct work_row_opts *opts, struct work_row **ret_row,
		   struct ktstr_error *err) KTSTR_MUST_CHECK;

uint32_t work_row_count(const struct work_row *row);
pid_t work_row_tid(const struct work_row *row, uint32_t index);
pid_t work_row_pid(const struct work_row *row, uint32_t index); /* threads: the same for all */

/* Once.  @phase: below WORK_PHASES. */
void work_row_go(struct work_row *row, uint32_t phase);
/* The slot that is written from now on; a worker follows with its next sign. */
void work_row_set_phase(struct work_row *row, uint32_t phase);

/* The CPUs that worker @index may run on from @from_ns (CLOCK_MONOTONIC) on, to be told after each
 * change of its affinity or cpuset: what it sees of itself elsewhere becomes "outside", and
 * affinity_churn chooses among them.  Before the first call: any. */
void work_row_allow(struct work_row *row, uint32_t index, const uint64_t cpus[WORK_CPU_WORDS],
		    uint64_t from_ns);

struct work_gap {
	uint64_t ns, begin_ns;
	uint32_t cpu; /* where it gave the sign that ended the gap; open: the one before */
	bool open;    /* it had not ended when this was read */
};

struct work_wakes {
	uint64_t count; /* 0: the rest is unknown */
	/* Of a histogram with 16 steps an octave: the upper end of the step, at most 6.25 % more than the
	 * true value, and never more than max_ns. */
	uint64_t p50_ns, p90_ns, p99_ns;
	uint64_t max_ns, max_at_ns; /* exact; at: when it ran again */
};

/* One worker in one phase. */
struct work_reading {
	bool began; /* it gave a sign in this phase; else only gap means anything */
	uint64_t iterations, units;
	uint64_t first_ns, last_ns; /* signs */
	uint64_t migrations;
	uint64_t cpus[WORK_CPU_WORDS]; /* it saw itself on */
	struct work_gap gap;
	struct work_wakes wakes;
	uint64_t outside[WORK_CPU_WORDS]; /* where it was though it was not allowed */
	uint64_t outside_ns;		  /* between two signs with such a CPU at the later one */
};
/* @now_ns: the current time if @phase is the current one, to count the gap that is open; else 0.
 * Return: 0, -EINVAL, -ENODATA (a type that tells nothing). */
int work_row_read(const struct work_row *row, uint32_t index, uint32_t phase, uint64_t now_ns,
		  struct work_reading *ret_reading) KTSTR_MUST_CHECK;

enum work_state {
	WORK_WAITING, /* not let go yet */
	WORK_RUNNING,
	WORK_STOPPED, /* by SIGSTOP or the like */
	WORK_ENDED,   /* it did what it had to do, or was asked to end and did */
	WORK_EXITED,  /* it ended otherwise: exit_code */
	WORK_SIGNALED,
	WORK_KILLED, /* it did not end when it was asked to, and was killed by work_row_reap() */
	WORK_MISSING /* its end is not known: somebody else collected it */
};

struct work_end {
	enum work_state state;
	bool finished; /* all its iterations; programs: exit code 0 */
	int exit_code; /* -1: none */
	int signal;    /* -1: none */
	char trouble
		[96]; /* what it could not do, "setpriority -10: Operation not permitted"; or "" */
};
/* Return: 0, -EINVAL. */
int work_row_look(const struct work_row *row, uint32_t index,
		  struct work_end *ret_end) KTSTR_MUST_CHECK;
/* All have ended, in whatever way. */
bool work_row_is_done(const struct work_row *row);

/* CPU time used, and time it was runnable and did not run, in all, its set-up included: take differences
 * (/proc/PID/task/TID/schedstat, or what it left when it ended).  Of threads that run, the CPU time is as
 * old as their last tick; of a program it is that of all its threads.
 * Return: 0, -EINVAL, -ENODATA (gone without leaving it, or the kernel does not tell). */
int work_row_cpu(const struct work_row *row, uint32_t index, uint64_t *ret_cpu_ns,
		 uint64_t *ret_delay_ns) KTSTR_MUST_CHECK;

/* Asks all to end; returns at once.  A worker that is frozen or stopped does not hear it. */
void work_row_stop(struct work_row *row);
/* Asks again and again, and kills what has not ended in time.
 * Return: how many had to be killed. */
uint32_t work_row_reap(struct work_row *row, uint64_t timeout_ns);
void work_row_destroy(struct work_row *row);

#endif
