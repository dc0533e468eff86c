/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * quota.bpf.h - cpu.max.
 *
 * CPU time is taken from the budgets of a task's group and of all above.  Once one is used up, tasks
 * of the group are parked instead of queued, and one that runs ends its turn at the next tick.  Each
 * period a timer fills the budget up again; what was used in advance is paid back first, so on the
 * whole no more is used than allowed.
 */
#ifndef KTSTR_SCHEDULERS_QUOTA_BPF_H
#define KTSTR_SCHEDULERS_QUOTA_BPF_H

#include "groups.bpf.h"
#include "idle.bpf.h"

/* More is no limit. */
#define QUOTA_MAX_US (1ull << 40)

struct quota_timer {
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SCHED_GROUPS);
	__type(key, __u32);
	__type(value, struct quota_timer);
} quota_timers SEC(".maps");

static __u64 nr_quotas;

__noinline int use_quota_of(__u32 index, __u64 ns)
{
	for (__u32 depth = 0; depth <= GROUP_DEPTH && index; depth++) {
		struct group *group = group_at(index);

		if (group->quota_ns &&
		    __sync_fetch_and_sub(&group->budget_ns, (__s64)ns) <= (__s64)ns)
			group->is_throttled = true;
		index = group->parent;
	}
	return 0;
}

static void use_quota(__u32 index, __u64 ns)
{
	if (nr_quotas)
		use_quota_of(index, ns);
}

__noinline int is_below_throttled(__u32 index)
{
	for (__u32 depth = 0; depth <= GROUP_DEPTH && index; depth++) {
		const struct group *group = group_at(index);

		if (group->is_throttled)
			return 1;
		index = group->parent;
	}
	return 0;
}

static bool is_throttled(__u32 index)
{
	return nr_quotas && is_below_throttled(index);
}

static void release_parked(void)
{
	struct bpf_iter_scx_dsq it;
	struct task_struct *p;

	bpf_rcu_read_lock();
	bpf_iter_scx_dsq_new(&it, QUEUE_PARKED, 0);
	while ((p = bpf_iter_scx_dsq_next(&it))) {
		struct task_state *state = state_of(p);
		__s32 cpu = scx_bpf_task_cpu(p);

		if (!state || is_throttled(state->group))
			continue;
		if (scx_bpf_dsq_move_vtime(&it, p, queue_of(p, state, cpu), 0))
			wake_any_for(p);
	}
	bpf_iter_scx_dsq_destroy(&it);
	bpf_rcu_read_unlock();
}

/* Fault slice-zero: whoever runs is sent away, over and over, by the timer of the root, which has no
 * quota. */
static void end_turns(void)
{
	__u32 root = 0;
	struct quota_timer *timer = bpf_map_lookup_elem(&quota_timers, &root);

	COUNT(struck);
	for (__u32 i = 0; i < SCHED_CPUS && i < machine.nr_cpus; i++)
		scx_bpf_kick_cpu(i, bpf_core_enum_value(enum scx_kick_flags, SCX_KICK_PREEMPT));
	if (timer)
		bpf_timer_start(&timer->timer, options.faults[FAULT_slice_zero] * 1000, 0);
}

static int refill(void *map, __u32 *index, struct quota_timer *timer)
{
	struct group *group = group_at(*index);
	__s64 most = group->quota_ns + group->burst_ns;

	if (HAS_FAULT(slice_zero) && !*index)
		end_turns();
	if (group->quota_ns) {
		if (HAS_FAULT(quota_halved)) {
			COUNT(struck);
			__sync_fetch_and_add(&group->budget_ns, (__s64)(group->quota_ns / 2));
		} else {
			__sync_fetch_and_add(&group->budget_ns, (__s64)group->quota_ns);
		}
		if (group->budget_ns > most)
			group->budget_ns = most;
		if (group->budget_ns > 0)
			group->is_throttled = false;
	}
	release_parked();
	/* Also once more after the quota was lifted: a task may have been about to be parked. */
	if (group->quota_ns)
		bpf_timer_start(&timer->timer, group->period_ns, 0);
	return 0;
}

static long make_timer(__u32 index, void *unused)
{
	struct quota_timer *timer = bpf_map_lookup_elem(&quota_timers, &index);

	if (timer) {
		bpf_timer_init(&timer->timer, &quota_timers, CLOCK_MONOTONIC);
		bpf_timer_set_callback(&timer->timer, refill);
	}
	return 0;
}

/* All at once, so that the verifier looks at what they do once. */
static void make_timers(void)
{
	bpf_loop(SCHED_GROUPS, make_timer, NULL, 0);
}

static void set_quota(__u32 index, __u64 period_us, __u64 quota_us, __u64 burst_us)
{
	struct group *group = group_at(index);
	struct quota_timer *timer = bpf_map_lookup_elem(&quota_timers, &index);
	bool had_quota = group->quota_ns != 0;

	if (!timer || !index)
		return;
	if (!quota_us || quota_us >= QUOTA_MAX_US || !period_us) {
		group->quota_ns = 0;
		group->is_throttled = false;
		if (had_quota)
			__sync_fetch_and_sub(&nr_quotas, 1);
		return;
	}
	if (HAS_FAULT(quota_ignored)) {
		COUNT(struck);
		return;
	}
	group->period_ns = period_us * 1000;
	group->burst_ns = burst_us * 1000;
	group->quota_ns = quota_us * 1000;
	group->budget_ns = group->quota_ns;
	group->is_throttled = false;
	if (!had_quota)
		__sync_fetch_and_add(&nr_quotas, 1);
	bpf_timer_start(&timer->timer, group->period_ns, 0);
}

#endif
