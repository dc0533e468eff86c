/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* idle.bpf.h - idle CPUs: found, the nearest first, and woken. */
#ifndef KTSTR_SCHEDULERS_IDLE_BPF_H
#define KTSTR_SCHEDULERS_IDLE_BPF_H

#include "state.bpf.h"

/* How near to a CPU. */
enum reach { REACH_CPU, REACH_LLC, REACH_NODE, REACH_ALL };

enum { CLAIM_TRIES = 2 };

static __u64 reached(__u32 word, __s32 cpu, __u32 reach)
{
	__u32 llc = llc_of(cpu);

	word %= SCHED_WORDS;
	if (reach == REACH_CPU)
		return (__u32)cpu / 64 == word ? 1ull << (__u32)cpu % 64 : 0;
	if (reach == REACH_LLC)
		return machine.llcs[llc].cpus.words[word];
	if (reach == REACH_NODE)
		return machine.nodes[machine.llcs[llc].node % SCHED_NODES].words[word];
	return machine.all.words[word];
}

static void read_idle(bool whole_core, struct sched_cpus *ret_idle)
{
	const struct cpumask *mask;

	if (whole_core) {
		mask = scx_bpf_get_idle_smtmask();
		/* Or clang makes one call through a pointer of the two. */
		barrier_var(mask);
	} else {
		mask = scx_bpf_get_idle_cpumask();
	}
	bpf_probe_read_kernel(ret_idle, sizeof(*ret_idle), mask);
	scx_bpf_put_idle_cpumask(mask);
}

/* Takes an idle CPU for the caller: nobody else will.  Return: the CPU, or -1. */
__noinline int claim_idle(struct sched_cpus *allowed, __s32 cpu, __u32 reach, bool whole_core)
{
	struct sched_cpus idle;

	if (!allowed)
		return -1;
	read_idle(whole_core, &idle);
	for (__u32 i = 0; i < SCHED_WORDS && i < machine.nr_words; i++) {
		__u64 word = idle.words[i] & allowed->words[i] & online.words[i] &
			     reached(i, cpu, reach);

		if (HAS_FAULT(smt_forgotten)) {
			if (word & ~machine.first_threads.words[i])
				COUNT(struck);
			word &= machine.first_threads.words[i];
		}

		for (__u32 tries = 0; word && tries < CLAIM_TRIES; tries++) {
			__s32 found = i * 64 + lowest_of(word);

			if (scx_bpf_test_and_clear_cpu_idle(found))
				return found;
			word &= word - 1;
		}
	}
	return -1;
}

/* Faults that look for idle CPUs around another than the task's. */
static __s32 misplace(__s32 cpu)
{
	static __u32 turn;
	__u32 llc = llc_of(cpu), other = 0;

	if (HAS_FAULT(prev_forgotten)) {
		COUNT(struck);
		return __sync_fetch_and_add(&turn, 1) % machine.nr_cpus;
	}
	if (machine.nr_llcs < 2 || (HAS_FAULT(wrong_node) && machine.nr_nodes < 2))
		return cpu;
	if (HAS_FAULT(wrong_node))
		other = machine.nr_llcs - 2;
	other = machine.llcs[llc].others[other % SCHED_LLCS] % SCHED_LLCS;
	COUNT(struck);
	return machine.llcs[other].first;
}

/* An idle CPU for a task that is on @cpu now; where cores have threads, one on an idle core if there
 * is any.  Return: the CPU, or -1. */
static __s32 find_idle(struct task_state *state, __s32 cpu)
{
	if (HAS_FAULT(llc_off_by_one) || HAS_FAULT(wrong_node) || HAS_FAULT(prev_forgotten))
		cpu = misplace(cpu);
	for (__u32 i = machine.nr_threads > 1 ? 0 : 4; i < 8; i++) {
		__u32 reach = i % 4;
		__s32 found;

		if ((reach == REACH_LLC && machine.nr_llcs == 1) ||
		    (reach == REACH_NODE && machine.nr_nodes == 1))
			continue;
		found = claim_idle(&state->allowed, cpu, reach, i < 4);
		if (found >= 0)
			return found;
	}
	return -1;
}

/* The nearest CPU for a task whose own goes away. */
static __s32 replace(const struct task_state *state, __s32 cpu)
{
	for (__u32 reach = REACH_LLC; reach <= REACH_ALL; reach++)
		for (__u32 i = 0; i < SCHED_WORDS && i < machine.nr_words; i++) {
			__u64 word =
				state->allowed.words[i] & online.words[i] & reached(i, cpu, reach);

			if (word)
				return i * 64 + lowest_of(word);
		}
	return cpu;
}

static __u64 queue_of(const struct task_struct *p, const struct task_state *state, __s32 cpu)
{
	if (HAS_FAULT(stale_pin) && state->pin >= 0 && state->pin != cpu) {
		COUNT(struck);
		return QUEUE_OF_CPU + (__u32)state->pin;
	}
	if (HAS_FAULT(queue_out_of_range) && state->pin != cpu && p->mm) {
		COUNT(struck);
		return llc_of(cpu) + 1;
	}
	if (HAS_FAULT(pinned_forgotten) && state->pin == cpu) {
		if (!p->mm)
			return llc_of(cpu);
		COUNT(struck);
	}
	/* Of a CPU that goes away, nobody would look into its own queue. */
	return state->pin == cpu && is_online(cpu) ? QUEUE_OF_CPU + (__u32)cpu : llc_of(cpu);
}

static bool wake_idle(__s32 cpu)
{
	if (cpu < 0)
		return false;
	COUNT(kicked);
	scx_bpf_kick_cpu(cpu, bpf_core_enum_value(enum scx_kick_flags, SCX_KICK_IDLE));
	return true;
}

/* Wake any idle CPU for a task: little to verify, for where it need not be near. */
static void wake_any_for(const struct task_struct *p)
{
	wake_idle(scx_bpf_pick_idle_cpu(p->cpus_ptr, 0));
}

#endif
