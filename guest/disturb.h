/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * disturb.h - a thread that preempts whatever runs, at times, on CPUs and for as long as a seed says.
 *
 * Ranges as in guest/perturb.h.  It runs at SCHED_FIFO priority 98: ahead of every workload, behind
 * the agent, whose time it never takes.  On average it uses 4 % of one CPU.
 */
#ifndef KTSTR_GUEST_DISTURB_H
#define KTSTR_GUEST_DISTURB_H

#include <stdint.h>

#include "base/prng.h"
#include <ktstr/error.h>

enum {
	DISTURB_PRIORITY = 98,
	DISTURB_PAUSE_MIN_NS = 100 * 1000,
	DISTURB_PAUSE_MAX_NS = 5000 * 1000,
	DISTURB_WORK_NS = 200 * 1000
};

struct disturb_step {
	uint64_t pause_ns;
	unsigned int cpu;
	uint64_t work_ns;
};

/* The next step, from the stream CHANCE_DISTURBER of a seed.  Pure but for @p. */
struct disturb_step disturb_next(struct prng *p, unsigned int nr_cpus);

struct disturber;

/* On CPUs 0 to @nr_cpus - 1, at least one.  Return: 0 or -errno. */
int disturber_start(uint64_t seed, unsigned int nr_cpus, struct disturber **ret_disturber,
		    struct ktstr_error *err) KTSTR_MUST_CHECK;
/* Waits for its step to end, and frees.  NULL is fine. */
void disturber_stop(struct disturber *d);

#endif
