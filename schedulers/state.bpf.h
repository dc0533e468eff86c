/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* state.bpf.h - what the scheduler knows of the machine, of its CPUs and of tasks. */
#ifndef KTSTR_SCHEDULERS_STATE_BPF_H
#define KTSTR_SCHEDULERS_STATE_BPF_H

#include "kfuncs.bpf.h"

/* Queues: one per LLC, numbered like it; one per CPU for tasks that may run nowhere else; and one
 * for tasks whose cgroup has used up its quota. */
enum { QUEUE_OF_CPU = 0x1000, QUEUE_PARKED = 0x2000, QUEUE_NONE = 0xffff };

const volatile struct sched_options options SEC(".rodata.options");
const volatile struct sched_machine machine SEC(".rodata.machine");
struct sched_counters counters SEC(".data.counters");

static struct sched_cpus online;
static struct {
	__u64 clock;	/* virtual time of the latest task it chose */
	__u64 current;	/* that of the task it runs */
	bool is_wedged; /* fault rt-wedge */
} cpus[SCHED_CPUS];

struct task_state {
	__u64 vtime;
	__u64 charged_ns;	   /* sum_exec_runtime that vtime knows of */
	struct sched_cpus allowed; /* of its cpumask, those the machine has */
	__u32 nr_allowed;
	__s32 pin;     /* the only CPU it may run on; -1: there are several */
	__u32 group;   /* its cgroup */
	__u32 counted; /* weight that its cgroup counts for it; 0: it is not runnable */
	bool has_yielded;
	bool is_new;	/* it has never run */
	bool is_doomed; /* fault rare-task */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_state);
} states SEC(".maps");

#define COUNT(what) __sync_fetch_and_add(&counters.what, 1)

/* Is the fault switched on?  If not, the verifier removes what depends on it. */
#define HAS_FAULT(id) (options.faults[FAULT_##id] != 0)

static struct task_state *state_of(struct task_struct *p)
{
	return bpf_task_storage_get(&states, p, NULL, 0);
}

/* The number of the lowest bit that is set; clang 14 has no __builtin_ctzll() for BPF. */
static __s32 lowest_of(__u64 word)
{
	__u64 below = (word & -word) - 1;

	barrier_var(below);
	return __builtin_popcountll(below);
}

static __u32 llc_of(__s32 cpu)
{
	return machine.llc_of[(__u32)cpu % SCHED_CPUS] % SCHED_LLCS;
}

static bool is_before(__u64 a, __u64 b)
{
	return (__s64)(a - b) < 0;
}

static bool is_online(__s32 cpu)
{
	return online.words[(__u32)cpu / 64 % SCHED_WORDS] >> (__u32)cpu % 64 & 1;
}

static void note_mask(const struct task_struct *p, struct task_state *state,
		      const struct cpumask *mask)
{
	__u32 nr = 0;
	__s32 pin = -1;

	bpf_probe_read_kernel(&state->allowed, sizeof(state->allowed), mask);
	for (__u32 i = 0; i < SCHED_WORDS && i < machine.nr_words; i++) {
		__u64 word = state->allowed.words[i] & machine.all.words[i];

		state->allowed.words[i] = word;
		nr += __builtin_popcountll(word);
		if (word)
			pin = i * 64 + lowest_of(word);
	}
	state->nr_allowed = nr;
	/* While it may not migrate for a moment, its mask has one CPU as well. */
	state->pin = nr == 1 && p->nr_cpus_allowed == 1 ? pin : -1;
}

#endif
