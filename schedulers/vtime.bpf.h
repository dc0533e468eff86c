/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * vtime.bpf.h - virtual time.
 *
 * A task's virtual time is its CPU time over its share (groups.bpf.h): it passes at the same pace for
 * all that get what they are due.
 *
 * It does not pass alike on all CPUs once tasks are bound to some of them, so each CPU has a clock:
 * the virtual time of the latest task it chose.  Whenever a task is queued or chosen, its virtual
 * time is brought near the clock of its CPU: not further behind than a slice, or a long sleep would
 * buy a long monopoly, and not further ahead than one turn can have taken it, or a task that comes
 * from CPUs where time ran fast would starve.
 */
#ifndef KTSTR_SCHEDULERS_VTIME_BPF_H
#define KTSTR_SCHEDULERS_VTIME_BPF_H

#include "groups.bpf.h"
#include "quota.bpf.h"

/* Slices end with a tick, so a turn may take longer. */
enum { TURN_SLICES = 4 };
/* What a weight may make a task wait, even if all others were on the CPUs it may use. */
#define WAIT_MAX_NS 1500000000ull

static __u64 virtual_ns(const struct task_state *state, __u64 ns)
{
	return (ns << ONE_SHIFT) / share_of(state);
}

static void charge(struct task_struct *p, struct task_state *state)
{
	__u64 total = p->se.sum_exec_runtime;
	__u64 ns = total - state->charged_ns;

	state->charged_ns = total;
	if (HAS_FAULT(vtime_frozen))
		COUNT(struck);
	else
		state->vtime += virtual_ns(state, ns);
	use_quota(state->group, ns);
}

static void bring_near(struct task_state *state, __u64 clock)
{
	__u64 earliest = clock - mean_ns(options.slice_ns);
	__u64 lead = virtual_ns(state, TURN_SLICES * options.slice_ns);
	__u64 sum = groups[0].sum;
	__u64 lead_max = WAIT_MAX_NS * state->nr_allowed * WEIGHT_NORMAL / (sum ? sum : 1);
	__u64 latest = clock + (lead < lead_max ? lead : lead_max);

	if (HAS_FAULT(sleeper_credit) && is_before(state->vtime, earliest))
		COUNT(struck);
	else if (is_before(state->vtime, earliest))
		state->vtime = earliest;
	else if (is_before(latest, state->vtime) && !HAS_FAULT(vtime_future))
		state->vtime = latest;
}

static void choose(struct task_state *state, __s32 cpu)
{
	__u32 i = (__u32)cpu % SCHED_CPUS;

	bring_near(state, cpus[i].clock);
	cpus[i].current = state->vtime;
	if (is_before(cpus[i].clock, state->vtime))
		cpus[i].clock = state->vtime;
}

#endif
