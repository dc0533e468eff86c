/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ktstr-sched: weighted fair by virtual time, one queue per last-level cache.
 *
 * A task that wakes up is put on an idle CPU if there is one that it may use, the nearest first.
 * Else it waits in the queue of its LLC, ordered by virtual time (vtime.bpf.h), or in that of its
 * CPU if it may run nowhere else.  A CPU takes whoever comes first of these two queues and of the
 * one that runs; when an other LLC's first is far behind them, it takes that; and before it
 * idles it takes whatever waits anywhere.  Weights of tasks and cgroups are in groups.bpf.h, cpu.max
 * is in quota.bpf.h.
 */
#include "faults.bpf.h"

/* How many slices a task of another LLC must be behind to be taken, and of another node. */
enum { FAR_SLICES = 2, FAR_NODE_SLICES = 4 };

char sched_license[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 16);
} exits SEC(".maps");

/* --- waking up ------------------------------------------------------------------------------ */

/* No CPU is idle: a new task goes to the LLC where the fewest wait. */
static __s32 place_new(const struct task_state *state, __s32 cpu)
{
	__u32 best = llc_of(cpu);
	__s32 fewest = scx_bpf_dsq_nr_queued(best), home = cpu;

	for (__u32 i = 0; i < SCHED_LLCS && i < machine.nr_llcs; i++) {
		__s32 nr = scx_bpf_dsq_nr_queued(i);

		if (nr >= fewest)
			continue;
		for (__u32 w = 0; w < SCHED_WORDS && w < machine.nr_words; w++) {
			__u64 word = machine.llcs[i].cpus.words[w] & state->allowed.words[w] &
				     online.words[w];

			if (!word)
				continue;
			fewest = nr;
			home = w * 64 + lowest_of(word);
		}
	}
	return home;
}

SEC("struct_ops/sched_select_cpu")
__s32 BPF_PROG(sched_select_cpu, struct task_struct *p, __s32 prev_cpu, __u64 wake_flags)
{
	struct task_state *state = state_of(p);
	__s32 cpu;

	if (!state || (HAS_FAULT(rare_task) && state->is_doomed))
		return prev_cpu;
	if (HAS_FAULT(lost_kick) && p->mm)
		return prev_cpu;
	if (HAS_FAULT(kick_storm))
		kick_all();
	if (HAS_FAULT(pile_up) && p->mm && state->allowed.words[0] & 1) {
		COUNT(struck);
		scx_bpf_dsq_insert(p, local_of(0), slice_ns(), 0);
		return 0;
	}
	cpu = find_idle(state, prev_cpu);
	if (cpu >= 0) {
		/* What is parked goes through enqueue(). */
		if (!is_throttled(state->group)) {
			COUNT(direct);
			scx_bpf_dsq_insert(p, local_queue_of(p, cpu), slice_ns(), 0);
		}
		return cpu;
	}
	if (wake_flags & bpf_core_enum_value(enum scx_wake_flags, SCX_WAKE_FORK) &&
	    machine.nr_llcs > 1)
		return place_new(state, prev_cpu);
	return prev_cpu;
}

static bool is_uncalled; /* a task was queued, and no CPU was told */

static void call_idle(void)
{
	is_uncalled = false;
	for (__u32 i = 0; i < SCHED_CPUS && i < machine.nr_cpus; i++)
		if (is_online(i))
			scx_bpf_kick_cpu(i,
					 bpf_core_enum_value(enum scx_kick_flags, SCX_KICK_IDLE));
}

/* A task was queued on @cpu: see that some CPU notices. */
static void call_cpu(struct task_state *state, __s32 cpu)
{
	/* A CPU that goes away takes with it what it kicks last, and all kicks and RCU callbacks after
	 * it is back: another one does it. */
	if (!is_online(bpf_get_smp_processor_id())) {
		is_uncalled = true;
		return;
	}
	if (HAS_FAULT(lost_kick)) {
		if (find_idle(state, cpu) >= 0) {
			COUNT(struck);
			return;
		}
	} else if (wake_idle(find_idle(state, cpu))) {
		return;
	}
	if (is_before(state->vtime + mean_ns(options.slice_ns) / 2,
		      cpus[(__u32)cpu % SCHED_CPUS].current)) {
		COUNT(preempted);
		if (HAS_FAULT(kick_weak)) {
			COUNT(struck);
			scx_bpf_kick_cpu(cpu, 0);
			return;
		}
		scx_bpf_kick_cpu(cpu, bpf_core_enum_value(enum scx_kick_flags, SCX_KICK_PREEMPT));
	} else {
		/* It may be falling idle, having looked at the queue before. */
		scx_bpf_kick_cpu(cpu, bpf_core_enum_value(enum scx_kick_flags, SCX_KICK_IDLE));
	}
}

SEC("struct_ops/sched_enqueue")
void BPF_PROG(sched_enqueue, struct task_struct *p, __u64 enq_flags)
{
	struct task_state *state = state_of(p);
	__s32 cpu = scx_bpf_task_cpu(p);
	__u64 queue;

	if (!state)
		return;
	if (!is_online(cpu))
		cpu = replace(state, cpu);
	if ((HAS_FAULT(drop_queued) || HAS_FAULT(stall_after) || HAS_FAULT(rare_task)) &&
	    is_lost(p, state)) {
		COUNT(struck);
		return;
	}
	bring_near(state, cpus[(__u32)cpu % SCHED_CPUS].clock);
	if (is_throttled(state->group)) {
		COUNT(parked);
		scx_bpf_dsq_insert_vtime(p, QUEUE_PARKED, slice_ns(), state->vtime, enq_flags);
		return;
	}
	if (enq_flags & bpf_core_enum_value(enum scx_enq_flags, SCX_ENQ_LAST)) {
		scx_bpf_dsq_insert(p, local_of(cpu), slice_ns(), enq_flags);
		return;
	}
	COUNT(queued);
	queue = queue_of(p, state, cpu);
	if (HAS_FAULT(fork_offline)) {
		__u64 offline = deal_out(p, state);

		if (offline != QUEUE_NONE)
			queue = offline;
	}
	scx_bpf_dsq_insert_vtime(p, queue, slice_ns(), displaced(p, state, cpu, enq_flags),
				 enq_flags);
	call_cpu(state, cpu);
}

/* --- choosing ------------------------------------------------------------------------------- */

/* Who comes first of those in a queue that may run on @cpu?  Tasks whose quota was used up while
 * they waited go where they belong.  Return: is there one? */
__noinline int first_in(__u64 queue, __s32 cpu, __u64 *ret_vtime)
{
	struct bpf_iter_scx_dsq it;
	struct task_struct *p;
	int found = 0;

	if (!ret_vtime)
		return 0;
	bpf_iter_scx_dsq_new(&it, queue, 0);
	while ((p = bpf_iter_scx_dsq_next(&it))) {
		struct task_state *state;

		if (!bpf_cpumask_test_cpu((__u32)cpu, p->cpus_ptr))
			continue;
		state = nr_quotas ? state_of(p) : NULL;
		if (state && is_throttled(state->group)) {
			COUNT(parked);
			scx_bpf_dsq_move_vtime(&it, p, QUEUE_PARKED, 0);
			continue;
		}
		*ret_vtime = p->scx.dsq_vtime;
		found = 1;
		break;
	}
	bpf_iter_scx_dsq_destroy(&it);
	return found;
}

/* Does some other LLC's first come so long before @vtime that it is to be taken from there? */
__noinline int far_queue(__s32 cpu, __u64 vtime)
{
	__u32 llc = llc_of(cpu);

	if (HAS_FAULT(no_steal))
		return QUEUE_NONE;
	for (__u32 i = 0; i < SCHED_LLCS && i + 1 < machine.nr_llcs; i++) {
		__u32 other = machine.llcs[llc].others[i];
		__u64 margin = i < machine.llcs[llc].nr_near ? FAR_SLICES : FAR_NODE_SLICES;
		struct task_struct *p = scx_bpf_dsq_peek(other);

		if ((HAS_FAULT(queue_unserved) && is_unserved(other)) ||
		    (HAS_FAULT(steal_neighbour) && i))
			continue;
		if (p && is_before(p->scx.dsq_vtime + margin * mean_ns(options.slice_ns), vtime) &&
		    bpf_cpumask_test_cpu((__u32)cpu, p->cpus_ptr))
			return other;
	}
	return QUEUE_NONE;
}

__noinline int steal(__s32 cpu)
{
	__u32 llc = llc_of(cpu);
	__u64 vtime;

	for (__u32 i = 0; i < SCHED_LLCS && i + 1 < machine.nr_llcs; i++) {
		__u32 other = machine.llcs[llc].others[i];

		if (HAS_FAULT(no_steal) || (HAS_FAULT(steal_neighbour) && i)) {
			if (scx_bpf_dsq_nr_queued(other))
				COUNT(struck);
			continue;
		}
		if (HAS_FAULT(queue_unserved) && is_unserved(other))
			continue;
		if (!first_in(other, cpu, &vtime) || !scx_bpf_dsq_move_to_local(other))
			continue;
		COUNT(stolen);
		return 1;
	}
	return 0;
}

/* @prev goes on: a choice like any other, but without running(). */
static void keep(struct task_struct *prev, struct task_state *state, __s32 cpu)
{
	choose(state, cpu);
	scx_bpf_task_set_slice(prev, slice_ns());
}

/* The queue to take from; QUEUE_NONE: who runs with @vtime comes first.  @is_open: nobody does. */
static __u64 best_queue(__s32 cpu, bool is_open, __u64 vtime)
{
	const __u64 near[] = { QUEUE_OF_CPU + (__u32)cpu, llc_of(cpu) };
	__u64 queue = QUEUE_NONE;

	for (__u32 i = 0; i < 2; i++) {
		__u64 first;

		if ((HAS_FAULT(queue_unserved) && is_unserved(near[i])) ||
		    (HAS_FAULT(pinned_forgotten) && i == 0))
			continue;
		if (!first_in(near[i], cpu, &first) || (!is_open && !is_before(first, vtime)))
			continue;
		queue = near[i];
		vtime = first;
		is_open = false;
	}
	if (!is_open && machine.nr_llcs > 1) {
		__u64 far = far_queue(cpu, vtime);

		if (far != QUEUE_NONE)
			return far;
	}
	return queue;
}

SEC("struct_ops/sched_dispatch")
void BPF_PROG(sched_dispatch, __s32 cpu, struct task_struct *prev)
{
	struct task_state *state = NULL;
	bool wants = false;
	__u64 queue;

	if (is_uncalled && is_online(cpu))
		call_idle();
	if (prev && prev->scx.flags & bpf_core_enum_value(enum scx_ent_flags, SCX_TASK_QUEUED))
		state = state_of(prev);
	if (state) {
		charge(prev, state);
		wants = !state->has_yielded && !is_throttled(state->group);
		state->has_yielded = false;
	}
	wants &= !HAS_FAULT(slice_zero);
	if ((HAS_FAULT(dead_cpu) && (__u64)cpu == options.faults[FAULT_dead_cpu]) ||
	    (HAS_FAULT(rt_wedge) && cpus[(__u32)cpu % SCHED_CPUS].is_wedged) ||
	    (HAS_FAULT(hotplug_forgotten) && !is_online(cpu))) {
		COUNT(struck);
		if (state && !is_throttled(state->group))
			keep(prev, state, cpu);
		return;
	}
	queue = best_queue(cpu, !wants, state ? state->vtime : 0);
	if (queue != QUEUE_NONE && scx_bpf_dsq_move_to_local(queue)) {
		if (queue < QUEUE_OF_CPU && queue != llc_of(cpu))
			COUNT(stolen);
		return;
	}
	if (state && !is_throttled(state->group))
		keep(prev, state, cpu);
	else
		steal(cpu);
}

SEC("struct_ops/sched_tick")
void BPF_PROG(sched_tick, struct task_struct *p)
{
	struct task_state *state = nr_quotas ? state_of(p) : NULL;

	if (!state)
		return;
	charge(p, state);
	if (is_throttled(state->group))
		scx_bpf_task_set_slice(p, 0);
}

SEC("struct_ops/sched_yield")
bool BPF_PROG(sched_yield, struct task_struct *from, struct task_struct *to)
{
	struct task_state *state = state_of(from);

	if (HAS_FAULT(yield_ignored)) {
		COUNT(struck);
		return false;
	}
	if (state || HAS_FAULT(verifier_error))
		state->has_yielded = true;
	scx_bpf_task_set_slice(from, 0);
	return false;
}

SEC("struct_ops/sched_running")
void BPF_PROG(sched_running, struct task_struct *p)
{
	struct task_state *state = state_of(p);
	__s32 cpu = scx_bpf_task_cpu(p);

	if (!state)
		return;
	choose(state, cpu);
	state->is_new = false;
}

SEC("struct_ops/sched_stopping")
void BPF_PROG(sched_stopping, struct task_struct *p, bool runnable)
{
	struct task_state *state = state_of(p);

	if (state)
		charge(p, state);
	if (HAS_FAULT(rt_wedge) && runnable && p->scx.slice) {
		COUNT(struck);
		cpus[(__u32)scx_bpf_task_cpu(p) % SCHED_CPUS].is_wedged = true;
	}
	/* Where a real-time task displaced it, it would wait for this CPU though others are idle. */
	if (runnable)
		scx_bpf_task_set_slice(p, 0);
}

/* --- tasks ---------------------------------------------------------------------------------- */
SEC("struct_ops/sched_runnable")
void BPF_PROG(sched_runnable, struct task_struct *p, __u64 enq_flags)
{
	struct task_state *state = state_of(p);

	if (state)
		task_in(state, p->scx.weight);
}

SEC("struct_ops/sched_quiescent")
void BPF_PROG(sched_quiescent, struct task_struct *p, __u64 deq_flags)
{
	struct task_state *state = state_of(p);

	if (state)
		task_out(state);
}

SEC("struct_ops/sched_set_weight")
void BPF_PROG(sched_set_weight, struct task_struct *p, __u32 weight)
{
	struct task_state *state = state_of(p);

	if (state)
		task_reweight(state, weight);
}

SEC("struct_ops/sched_set_cpumask")
void BPF_PROG(sched_set_cpumask, struct task_struct *p, const struct cpumask *mask)
{
	struct task_state *state = state_of(p);
	struct sched_cpus before;
	__s32 pin;

	if (!state)
		return;
	pin = state->pin;
	before = state->allowed;
	note_mask(p, state, mask);
	if (HAS_FAULT(stale_pin) && p->mm && pin >= 0)
		state->pin = pin;
	if (HAS_FAULT(cpuset_ignored) && p->mm && state->pin < 0) {
		COUNT(struck);
		state->allowed = before;
	}
}

SEC("struct_ops/sched_enable")
void BPF_PROG(sched_enable, struct task_struct *p)
{
	struct task_state *state = state_of(p);

	if (state) {
		state->vtime = cpus[(__u32)scx_bpf_task_cpu(p) % SCHED_CPUS].clock;
		state->charged_ns = p->se.sum_exec_runtime;
		note_mask(p, state, p->cpus_ptr);
		if (HAS_FAULT(vtime_future) && is_born_nth(options.faults[FAULT_vtime_future])) {
			COUNT(struck);
			state->vtime += FAR_AHEAD_NS;
		}
	}
}

SEC("struct_ops/sched_init_task")
__s32 BPF_PROG(sched_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	struct task_state *state =
		bpf_task_storage_get(&states, p, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!state)
		return -12;
	state->group = index_of(args->cgroup);
	state->is_new = args->fork;
	if (HAS_FAULT(rare_task) && args->fork)
		state->is_doomed = is_born_nth(options.faults[FAULT_rare_task]);
	return 0;
}

/* --- cgroups -------------------------------------------------------------------------------- */
SEC("struct_ops/sched_cgroup_init")
__s32 BPF_PROG(sched_cgroup_init, struct cgroup *cgroup, struct scx_cgroup_init_args *args)
{
	group_begin(cgroup, args->weight, args->sched_idle);
	set_quota(own_index_of(cgroup), args->bw_period_us, args->bw_quota_us, args->bw_burst_us);
	return 0;
}

SEC("struct_ops/sched_cgroup_exit")
void BPF_PROG(sched_cgroup_exit, struct cgroup *cgroup)
{
	set_quota(own_index_of(cgroup), 0, 0, 0);
	group_end(cgroup);
}

SEC("struct_ops/sched_cgroup_move")
void BPF_PROG(sched_cgroup_move, struct task_struct *p, struct cgroup *from, struct cgroup *to)
{
	struct task_state *state = state_of(p);

	if (HAS_FAULT(move_unbilled)) {
		COUNT(struck);
		return;
	}
	/* It is not runnable while it is moved. */
	if (state)
		state->group = index_of(to);
}

SEC("struct_ops/sched_cgroup_set_weight")
void BPF_PROG(sched_cgroup_set_weight, struct cgroup *cgroup, __u32 weight)
{
	__u32 index = own_index_of(cgroup);

	group_at(index)->weight_set = weight;
	group_reweigh(index);
}

SEC("struct_ops/sched_cgroup_set_idle")
void BPF_PROG(sched_cgroup_set_idle, struct cgroup *cgroup, bool is_idle)
{
	__u32 index = own_index_of(cgroup);

	group_at(index)->is_idle = is_idle;
	group_reweigh(index);
}

SEC("struct_ops/sched_cgroup_set_bandwidth")
void BPF_PROG(sched_cgroup_set_bandwidth, struct cgroup *cgroup, __u64 period_us, __u64 quota_us,
	      __u64 burst_us)
{
	set_quota(own_index_of(cgroup), period_us, quota_us, burst_us);
}

/* --- CPUs ----------------------------------------------------------------------------------- */

/* Without these two the kernel ends the scheduler at each CPU that comes or goes. */
SEC("struct_ops/sched_cpu_online")
void BPF_PROG(sched_cpu_online, __s32 cpu)
{
	if (HAS_FAULT(hotplug_forgotten))
		return;
	__sync_fetch_and_or(&online.words[(__u32)cpu / 64 % SCHED_WORDS], 1ull << (__u32)cpu % 64);
}

/* Nobody else looks into its own queue, and who waits there may be let go elsewhere. */
static void hand_over(__s32 cpu)
{
	struct bpf_iter_scx_dsq it;
	struct task_struct *p;

	bpf_iter_scx_dsq_new(&it, QUEUE_OF_CPU + (__u32)cpu, 0);
	while ((p = bpf_iter_scx_dsq_next(&it)))
		scx_bpf_dsq_move_vtime(&it, p, llc_of(cpu), 0);
	bpf_iter_scx_dsq_destroy(&it);
}

SEC("struct_ops/sched_cpu_offline")
void BPF_PROG(sched_cpu_offline, __s32 cpu)
{
	__sync_fetch_and_and(&online.words[(__u32)cpu / 64 % SCHED_WORDS],
			     ~(1ull << (__u32)cpu % 64));
	hand_over(cpu);
}

SEC("struct_ops/sched_init")
__s32 BPF_PROG(sched_init)
{
	__s32 r = scx_bpf_create_dsq(QUEUE_PARKED, -1);

	if (HAS_FAULT(load_error))
		return -12;
	loaded_ns = bpf_ktime_get_ns();
	make_timers();
	if (HAS_FAULT(slice_zero))
		end_turns();
	for (__u32 i = 0; i < SCHED_WORDS && i < machine.nr_words; i++)
		online.words[i] = machine.all.words[i];
	for (__u32 i = 0; !r && i < SCHED_LLCS && i < machine.nr_llcs; i++)
		r = scx_bpf_create_dsq(i, -1);
	for (__u32 i = 0; !r && i < SCHED_CPUS && i < machine.nr_cpus; i++)
		r = scx_bpf_create_dsq(QUEUE_OF_CPU + i, -1);
	return r;
}

SEC("struct_ops/sched_exit")
void BPF_PROG(sched_exit, struct scx_exit_info *info)
{
	struct sched_exit *out = bpf_ringbuf_reserve(&exits, sizeof(*out), 0);

	if (!out)
		return;
	out->kind = info->kind;
	out->code = info->exit_code;
	bpf_probe_read_kernel_str(out->reason, sizeof(out->reason), info->reason);
	bpf_probe_read_kernel_str(out->message, sizeof(out->message), info->msg);
	bpf_probe_read_kernel_str(out->dump, sizeof(out->dump), info->dump);
	bpf_ringbuf_submit(out, 0);
}

SEC(".struct_ops")
struct sched_ext_ops ktstr_ops = {
	.select_cpu = (void *)sched_select_cpu,
	.enqueue = (void *)sched_enqueue,
	.dispatch = (void *)sched_dispatch,
	.tick = (void *)sched_tick,
	.runnable = (void *)sched_runnable,
	.running = (void *)sched_running,
	.stopping = (void *)sched_stopping,
	.quiescent = (void *)sched_quiescent,
	.yield = (void *)sched_yield,
	.set_weight = (void *)sched_set_weight,
	.set_cpumask = (void *)sched_set_cpumask,
	.enable = (void *)sched_enable,
	.init_task = (void *)sched_init_task,
	.cgroup_init = (void *)sched_cgroup_init,
	.cgroup_exit = (void *)sched_cgroup_exit,
	.cgroup_move = (void *)sched_cgroup_move,
	.cgroup_set_weight = (void *)sched_cgroup_set_weight,
	.cgroup_set_bandwidth = (void *)sched_cgroup_set_bandwidth,
	.cgroup_set_idle = (void *)sched_cgroup_set_idle,
	.cpu_online = (void *)sched_cpu_online,
	.cpu_offline = (void *)sched_cpu_offline,
	.init = (void *)sched_init,
	.exit = (void *)sched_exit,
	.flags = OPS_ENQ_LAST,
	.name = "ktstr",
};
