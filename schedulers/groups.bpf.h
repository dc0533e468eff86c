/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * groups.bpf.h - cgroups and their weights.
 *
 * Siblings share what their parent has: among those that have something to run, each gets CPU time
 * in proportion to its weight, and so on down to tasks.  Each group keeps the sum of the weights of
 * its runnable tasks and of its groups with runnable tasks, so a task's share of the machine is the
 * product of weight / sum on its way up.
 */
#ifndef KTSTR_SCHEDULERS_GROUPS_BPF_H
#define KTSTR_SCHEDULERS_GROUPS_BPF_H

#include "state.bpf.h"

/* Deeper groups count for their ancestor there.  A share is a multiple of 1 / ONE. */
enum { GROUP_DEPTH = 6, WEIGHT_NORMAL = 100, WEIGHT_IDLE = 1, ONE_SHIFT = 20 };

static struct group {
	__u64 id; /* of the cgroup; 0: free */
	__u64 sum;
	__u32 nr_active; /* runnable tasks and active groups in it */
	__u32 parent;
	__u32 weight;
	__u32 weight_set; /* cpu.weight, whatever cpu.idle says */
	bool is_idle;
	/* cpu.max */
	__u64 quota_ns, period_ns, burst_ns; /* quota 0: none */
	__s64 budget_ns;		     /* below 0: used in advance */
	bool is_throttled;
} groups[SCHED_GROUPS]; /* 0: the root */

static __u64 nr_runnable;
static __u32 first_free;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4 * SCHED_GROUPS);
	__type(key, __u64); /* id of a cgroup */
	__type(value, __u32);
} group_of_id SEC(".maps");

struct tree_lock {
	struct bpf_spin_lock lock;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tree_lock);
} tree_locks SEC(".maps");

static struct group *group_at(__u32 index)
{
	return &groups[index % SCHED_GROUPS];
}

static __u32 index_of(struct cgroup *cgroup)
{
	__u64 id = cgroup->kn->id;
	__u32 *index = bpf_map_lookup_elem(&group_of_id, &id);

	return index ? *index : 0;
}

/* 0 also for a cgroup that shares its parent's entry. */
static __u32 own_index_of(struct cgroup *cgroup)
{
	__u32 index = index_of(cgroup);

	return group_at(index)->id == cgroup->kn->id ? index : 0;
}

static struct tree_lock *get_tree(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&tree_locks, &zero);
}

/* Something of this weight in the group became runnable; with it, maybe, the group. */
static void count_in(__u32 index, __u32 weight)
{
	for (__u32 depth = 0; depth <= GROUP_DEPTH; depth++) {
		struct group *group = group_at(index);

		group->sum += weight;
		if (group->nr_active++ || !index)
			break;
		weight = group->weight;
		index = group->parent;
	}
}

static void count_out(__u32 index, __u32 weight)
{
	for (__u32 depth = 0; depth <= GROUP_DEPTH; depth++) {
		struct group *group = group_at(index);

		group->sum -= weight;
		if (--group->nr_active || !index)
			break;
		weight = group->weight;
		index = group->parent;
	}
}

static void count_task(struct task_state *state, __u32 weight)
{
	struct tree_lock *tree = get_tree();

	if (!tree || state->counted)
		return;
	bpf_spin_lock(&tree->lock);
	state->counted = weight;
	count_in(state->group, weight);
	nr_runnable++;
	bpf_spin_unlock(&tree->lock);
}

static void task_in(struct task_state *state, __u32 weight)
{
	if (HAS_FAULT(nice_ignored)) {
		if (weight != WEIGHT_NORMAL)
			COUNT(struck);
		weight = WEIGHT_NORMAL;
	}
	count_task(state, weight);
}

static void task_out(struct task_state *state)
{
	struct tree_lock *tree = get_tree();

	if (!tree || !state->counted)
		return;
	bpf_spin_lock(&tree->lock);
	count_out(state->group, state->counted);
	state->counted = 0;
	nr_runnable--;
	bpf_spin_unlock(&tree->lock);
}

static void task_reweight(struct task_state *state, __u32 weight)
{
	struct tree_lock *tree = get_tree();

	if (!tree || !state->counted || HAS_FAULT(nice_ignored))
		return;
	bpf_spin_lock(&tree->lock);
	group_at(state->group)->sum += (__u64)weight - state->counted;
	state->counted = weight;
	bpf_spin_unlock(&tree->lock);
}

static void group_reweigh(__u32 index)
{
	struct tree_lock *tree = get_tree();
	struct group *group = group_at(index);
	__u32 weight = group->is_idle ? WEIGHT_IDLE : group->weight_set;

	if (HAS_FAULT(cgroup_weight_ignored) && !group->is_idle) {
		if (weight != WEIGHT_NORMAL)
			COUNT(struck);
		weight = WEIGHT_NORMAL;
	}
	if (HAS_FAULT(cgroup_idle_ignored) && group->is_idle) {
		COUNT(struck);
		weight = group->weight_set;
	}
	if (!tree || !index)
		return;
	bpf_spin_lock(&tree->lock);
	if (group->nr_active)
		group_at(group->parent)->sum += (__u64)weight - group->weight;
	group->weight = weight;
	bpf_spin_unlock(&tree->lock);
}

/* What something of this weight in the group is due, against a task of normal weight in the root:
 * ONE.  The root's own sum does not count, or each kernel thread of high weight that runs for a moment
 * would change what all others are charged meanwhile. */
__noinline __u64 share_in(__u32 index, __u32 weight)
{
	__u64 share = 1 << ONE_SHIFT;

	for (__u32 depth = 0; depth <= GROUP_DEPTH; depth++) {
		const struct group *group = group_at(index);
		__u64 sum = group->sum;

		if (!index) {
			share = share * weight / WEIGHT_NORMAL;
			break;
		}
		/* Nobody locks the sums for this: they may be a moment old. */
		if (sum > weight)
			share = share * weight / sum;
		weight = group->weight;
		index = group->parent;
	}
	return share ? share : 1;
}

/* How far virtual time goes while the mean of all runnable tasks runs for so long. */
static __u64 mean_ns(__u64 ns)
{
	__u64 sum = groups[0].sum;

	return sum ? ns * nr_runnable * WEIGHT_NORMAL / sum : ns;
}

static __u64 share_of(const struct task_state *state)
{
	return state->counted ? share_in(state->group, state->counted) : 1 << ONE_SHIFT;
}

/* Free entries are linked by their parent; begin and end of cgroups come one at a time. */
static __u32 take_free_group(void)
{
	static __u32 nr_used;
	__u32 index = first_free;

	if (index)
		first_free = group_at(index)->parent;
	else if (nr_used + 1 < SCHED_GROUPS)
		index = ++nr_used;
	return index;
}

/* A group too deep or too many shares its parent's entry. */
static void group_begin(struct cgroup *cgroup, __u32 weight, bool is_idle)
{
	struct cgroup_subsys_state *above = cgroup->self.parent;
	__u64 id = cgroup->kn->id;
	__u32 index = 0, parent = 0;
	struct group *group;

	if (above) {
		parent = index_of(above->cgroup);
		if (cgroup->level <= GROUP_DEPTH)
			index = take_free_group();
		if (index)
			group_at(index)->id = id;
		else
			index = parent;
	}
	bpf_map_update_elem(&group_of_id, &id, &index, 0);
	group = group_at(index);
	if (group->id != id)
		return;
	if (HAS_FAULT(cgroup_flat) && parent) {
		COUNT(struck);
		parent = 0;
	}
	group->parent = parent;
	group->weight_set = weight;
	group->is_idle = is_idle;
	group->sum = 0;
	group->nr_active = 0;
	group_reweigh(index);
}

static void group_end(struct cgroup *cgroup)
{
	__u64 id = cgroup->kn->id;
	__u32 index = own_index_of(cgroup);
	struct group *group = group_at(index);

	bpf_map_delete_elem(&group_of_id, &id);
	if (!index)
		return;
	group->id = 0;
	group->parent = first_free;
	first_free = index;
}

#endif
