/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * perturb.h - what a job's seed moves in the guest, beside its random numbers.
 *
 * In exact mode runs of one seed are the same and nothing else would make two seeds differ, so that
 * the seed must choose among the interleavings a real machine would show.  Each number is drawn
 * evenly from its range (base/prng.h), rows of one stream in the order in which they happen:
 *
 *	what					range		level	stream
 *	order in which the agent visits the
 *	  CPUs and wakes them			any order	light	CHANCE_AGENT
 *	how long it works on each		0..50 us	light	CHANCE_AGENT
 *	wait after that				0..200 us	light	CHANCE_AGENT
 *	start offset: wait before the body	0..20 ms	light	CHANCE_AGENT
 *	wait before its process is forked	0..200 us	light	CHANCE_AGENT
 *	CPU it is on when it is forked		any		light	CHANCE_AGENT
 *	wait there before exec			0..200 us	light	CHANCE_AGENT
 *	its timer slack				1 ns..200 us	light	CHANCE_AGENT
 *	phase of the agent's heartbeat		0..1 interval	light	CHANCE_AGENT
 *	waits in the body (src/run/body.h)	0..200 us	light	CHANCE_BODY
 *	a thread of SCHED_FIFO priority 98 that
 *	  preempts what runs: after		0.1..5 ms	heavy	CHANCE_DISTURBER
 *	  ... on which CPU			any		heavy	CHANCE_DISTURBER
 *	  ... for				0..200 us	heavy	CHANCE_DISTURBER
 *
 * "heavy" includes "light"; "off" leaves the random numbers alone (guest/chance.h).  The start offset
 * is also what moves the body's timers against the kernel's tick (4 ms at HZ=250).  Affinity is
 * as before when the body's program starts; timer slack is inherited by what it starts.
 */
#ifndef KTSTR_GUEST_PERTURB_H
#define KTSTR_GUEST_PERTURB_H

#include <stdint.h>

#include "run/protocol.h"

enum {
	PERTURB_CPUS_MAX = 256, /* beyond that, CPUs are not woken and not chosen */
	PERTURB_WORK_NS = 50 * 1000,
	PERTURB_GAP_NS = 200 * 1000,
	PERTURB_START_NS = 20 * 1000000,
	PERTURB_WAIT_NS = 200 * 1000,
	PERTURB_SLACK_NS = 200 * 1000
};

struct perturb_wake {
	unsigned int cpu;
	uint64_t work_ns, gap_ns;
};

/* All that "light" draws, before anything of it happens. */
struct perturb_plan {
	struct perturb_wake wakes[PERTURB_CPUS_MAX];
	unsigned int nr_cpus;
	uint64_t start_ns;
	uint64_t before_fork_ns;
	unsigned int body_cpu;
	uint64_t before_exec_ns;
	uint64_t slack_ns;
	uint64_t beat_ns; /* to the first heartbeat: 1 ns to one interval */
};

/* For a machine with CPUs 0 to @nr_cpus - 1, at least one.  Pure. */
void perturb_make(struct perturb_plan *plan, const struct job *job, unsigned int nr_cpus);

/* Wakes the CPUs, then waits for the start offset; affinity is as before.  Return: 0 or -errno. */
int perturb_begin(const struct perturb_plan *plan, struct ktstr_error *err) KTSTR_MUST_CHECK;

/* In the agent before fork(), and in the child before exec().  The latter is async-signal-safe.
 * Return: 0 or -errno. */
void perturb_before_fork(const struct perturb_plan *plan);
int perturb_before_exec(const struct perturb_plan *plan) KTSTR_MUST_CHECK;

#endif
