/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * watch_state.h - switches and wake-ups in the order of their times, made into waits.  No system calls.
 */
#ifndef KTSTR_SCHED_WATCH_STATE_H
#define KTSTR_SCHED_WATCH_STATE_H

#include "sched/watch.h"

/* A kernel moves a running thread a little after its CPUs were changed. */
#define WATCH_GRACE_NS 20000000ull

struct watch_switch {
	uint64_t time_ns;
	uint32_t cpu;
	pid_t prev, next; /* 0: the idle thread */
	char next_comm[WATCH_COMM];
	bool prev_waits; /* it could have run on */
};

struct watch_state;

struct watch_state *watch_state_create(uint32_t nr_cpus); /* NULL: lack of memory */
void watch_state_destroy(struct watch_state *state);

void watch_state_switch(struct watch_state *state, const struct watch_switch *event);
void watch_state_wake(struct watch_state *state, pid_t tid, uint64_t time_ns);
/* What was known of all is out of date. */
void watch_state_lost(struct watch_state *state, uint64_t events);
void watch_state_cpu_gone(struct watch_state *state, uint32_t cpu);

int watch_state_track(struct watch_state *state, pid_t tid, const uint64_t cpus[WATCH_CPU_WORDS],
		      uint64_t now_ns) KTSTR_MUST_CHECK;
int watch_state_near(struct watch_state *state, pid_t tid,
		     const uint64_t cpus[WATCH_CPU_WORDS]) KTSTR_MUST_CHECK;
void watch_state_forget(struct watch_state *state, pid_t tid);
void watch_state_begin(struct watch_state *state, uint64_t now_ns);
int watch_state_read(const struct watch_state *state, pid_t tid, uint64_t now_ns,
		     struct watch_wait *ret_wait) KTSTR_MUST_CHECK;
int watch_state_read_cpu(const struct watch_state *state, uint32_t cpu, uint64_t now_ns,
			 struct watch_cpu *ret_cpu) KTSTR_MUST_CHECK;

#endif
