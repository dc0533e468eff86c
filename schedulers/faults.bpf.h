/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* faults.bpf.h - what faults do, where it takes more than a line; faults.def says what they are. */
#ifndef KTSTR_SCHEDULERS_FAULTS_BPF_H
#define KTSTR_SCHEDULERS_FAULTS_BPF_H

#include "vtime.bpf.h"

#define FAR_AHEAD_NS 10000000000ull
#define ENDLESS_NS   ~0ull /* as SCX_SLICE_INF */

static __u64 loaded_ns;

static __u64 slice_ns(void)
{
	if (!HAS_FAULT(slice_endless))
		return options.slice_ns;
	COUNT(struck);
	return ENDLESS_NS;
}

/* Is the task to be forgotten? */
static bool is_lost(const struct task_struct *p, const struct task_state *state)
{
	static __u64 nr;

	if (!p->mm)
		return false;
	if (HAS_FAULT(drop_queued))
		return (__sync_fetch_and_add(&nr, 1) + 1) % options.faults[FAULT_drop_queued] == 0;
	if (HAS_FAULT(stall_after))
		return bpf_ktime_get_ns() - loaded_ns > options.faults[FAULT_stall_after] * 1000000;
	return HAS_FAULT(rare_task) && state->is_doomed;
}

/* Faults that queue a task where it does not belong.  Return: the virtual time to queue it with. */
static __u64 displaced(const struct task_struct *p, const struct task_state *state, __s32 cpu,
		       __u64 enq_flags)
{
	__u64 clock = cpus[(__u32)cpu % SCHED_CPUS].clock;

	if (!p->mm)
		return state->vtime;
	if (HAS_FAULT(inversion) && p->scx.weight < WEIGHT_NORMAL) {
		COUNT(struck);
		return clock + FAR_AHEAD_NS;
	}
	if (HAS_FAULT(cgroup_starved) && state->group &&
	    state->group % options.faults[FAULT_cgroup_starved] == 0) {
		COUNT(struck);
		return clock + FAR_AHEAD_NS;
	}
	if (HAS_FAULT(interactive_starved) &&
	    enq_flags & bpf_core_enum_value(enum scx_enq_flags, SCX_ENQ_WAKEUP)) {
		COUNT(struck);
		return clock + FAR_AHEAD_NS;
	}
	return state->vtime;
}

/* Return: the queue of a CPU that is offline, or QUEUE_NONE. */
static __u64 deal_out(const struct task_struct *p, const struct task_state *state)
{
	static __u32 turn;
	__u32 cpu;

	if (!p->mm || !state->is_new)
		return QUEUE_NONE;
	cpu = __sync_fetch_and_add(&turn, 1) % machine.nr_cpus;
	if (is_online(cpu))
		return QUEUE_NONE;
	COUNT(struck);
	return QUEUE_OF_CPU + cpu;
}

static void kick_all(void)
{
	COUNT(struck);
	for (__u32 i = 0; i < SCHED_CPUS && i < machine.nr_cpus; i++)
		scx_bpf_kick_cpu(i, 0);
}

static __u64 local_of(__s32 cpu)
{
	return bpf_core_enum_value(enum scx_dsq_id_flags, SCX_DSQ_LOCAL_ON) | (__u32)cpu;
}

/* Where a task that is given @cpu is put. */
static __u64 local_queue_of(const struct task_struct *p, __s32 cpu)
{
	if (HAS_FAULT(local_wrong_cpu) && p->mm && ((__u32)cpu ^ 1) < machine.nr_cpus) {
		COUNT(struck);
		return local_of(cpu ^ 1);
	}
	return local_of(cpu);
}

static bool is_unserved(__u64 queue)
{
	if (queue != options.faults[FAULT_queue_unserved])
		return false;
	if (scx_bpf_dsq_nr_queued(queue))
		COUNT(struck);
	return true;
}

static bool is_born_nth(__u64 n)
{
	static __u64 nr;

	return n && (__sync_fetch_and_add(&nr, 1) + 1) % n == 0;
}

#endif
