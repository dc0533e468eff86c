/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * watch.h - every context switch and wake-up of this machine, and from them: who waited for a CPU, how
 * long, and what ran meanwhile where it might have run.
 *
 * Source: the tracepoints sched_switch, sched_wakeup and sched_wakeup_new, through a perf ring buffer per
 * CPU, with CLOCK_MONOTONIC.  Nothing is sampled, so a wait is known to the nanosecond.  What a ring had no
 * room for is counted (lost), and what cannot be known then is not said.
 *
 * A thread waits from its wake-up, or from the moment it had to leave a CPU though it could run on, to the
 * moment it is switched in.  Where a CPU is idle and a thread that may run there waits, that is noted too.
 *
 * To take events in costs about as much as the switches that they tell of, so that is not done while a
 * window is open unless it must be: the caller calls watch_relieve() every WATCH_RELIEVE_MS.  One thread
 * uses a watch.
 */
#ifndef KTSTR_SCHED_WATCH_H
#define KTSTR_SCHED_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <ktstr/error.h>

enum {
	WATCH_CPUS = 256,
	WATCH_CPU_WORDS = WATCH_CPUS / 64,
	WATCH_THREADS = 2048, /* tracked at once */
	WATCH_HOLDERS = 6,
	WATCH_RAN = 8,
	WATCH_COMM = 16,
	WATCH_TURNS = 4096, /* of each CPU that are remembered */
	WATCH_RELIEVE_MS = 10
};

struct watch;

struct watch_opts {
	const char *tracefs; /* "/sys/kernel/tracing"; mounted there if it is not */
	uint32_t nr_cpus;    /* that may come online; 1 to WATCH_CPUS */
};

/* Return: 0; -ENOTSUP (no such tracepoints, or no tracefs: @err says what is missing), -EACCES, -EPERM,
 * -ENOMEM, -errno of perf_event_open(2). */
int watch_open(const struct watch_opts *opts, struct watch **ret_watch,
	       struct ktstr_error *err) KTSTR_MUST_CHECK;
void watch_close(struct watch *watch); /* NULL is fine */

/* A CPU that came online anew has to be watched anew.  Return: 0, -errno. */
int watch_cpu_online(struct watch *watch, uint32_t cpu) KTSTR_MUST_CHECK;

/* From now on @tid is watched; or, if it is already, may run on @cpus only, from @now_ns on.
 * Return: 0, -ENOSPC. */
int watch_track(struct watch *watch, pid_t tid, const uint64_t cpus[WATCH_CPU_WORDS],
		uint64_t now_ns) KTSTR_MUST_CHECK;
/* The CPUs that are near the memory of a thread that is tracked; none before.  Return: 0, -ESRCH. */
int watch_near(struct watch *watch, pid_t tid,
	       const uint64_t cpus[WATCH_CPU_WORDS]) KTSTR_MUST_CHECK;
void watch_forget(struct watch *watch, pid_t tid);

/* Takes in what has happened.  Return: 0, -ENOMEM, -EBADMSG (a ring is not what perf_event_open(2) says). */
int watch_drain(struct watch *watch) KTSTR_MUST_CHECK;

/* Takes in as much as is needed for no ring to be more than half full; mostly nothing.  Return: as above. */
int watch_relieve(struct watch *watch) KTSTR_MUST_CHECK;

/* A new window: what watch_read() tells begins here, but for waits that go on. */
void watch_begin(struct watch *watch, uint64_t now_ns);

struct watch_holder {
	char who[WATCH_COMM]; /* "idle", or the name of the thread */
	uint64_t ns;	      /* on all CPUs together */
};

struct watch_wait {
	bool seen; /* it was switched in or woken in this window; else only open waits are told */
	uint64_t wait_ns; /* longest; 0: it never waited */
	uint64_t begin_ns;
	bool open; /* it waits still */
	struct watch_holder
		holders[WATCH_HOLDERS]; /* on the CPUs it might have used, the longest first */
	uint32_t nr_holders;
	uint64_t held_ns; /* known time of these CPUs, also of holders without room */
	uint64_t idle_ns, idle_begin_ns; /* longest time one of its CPUs was idle while it waited */
	uint32_t idle_cpu;
	uint64_t waits_ns; /* all waits of the window together */
	uint64_t ran_ns;   /* on a CPU */
	uint64_t near_ns;  /* of that, near its memory (watch_near()) */
	uint64_t switches; /* to it */
	uint64_t outside
		[WATCH_CPU_WORDS]; /* it ran on, more than @grace_ns after they were not allowed */
	uint64_t outside_ns;
	uint64_t lost; /* events that are missing in the window: then all are lower bounds */
};

/* Up to @now_ns; drain first.  Return: 0, -ESRCH (not tracked). */
int watch_read(const struct watch *watch, pid_t tid, uint64_t now_ns,
	       struct watch_wait *ret_wait) KTSTR_MUST_CHECK;

struct watch_cpu {
	uint64_t busy_ns, idle_ns;
	struct watch_holder
		ran[WATCH_RAN]; /* in busy_ns, the longest first; threads of one name are one */
	uint32_t nr_ran;
};

/* How a CPU spent the window, as far as it is known: together they may be less.
 * Return: 0, -ENODATA (nothing was seen of it, or events were lost). */
int watch_read_cpu(const struct watch *watch, uint32_t cpu, uint64_t now_ns,
		   struct watch_cpu *ret_cpu) KTSTR_MUST_CHECK;

#endif
