/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ktstr-sched: weighted fair by virtual time, one queue for all CPUs.
 *
 * A task's virtual time is its CPU time * 100 / weight.  Runnable tasks that find no idle CPU wait
 * in one queue ordered by virtual time; a CPU takes the first that may run on it.  One queue for
 * all keeps every CPU busy and shares fairly without any balancing.
 *
 * Virtual time does not pass alike on all CPUs once tasks are bound to some of them, so each CPU
 * has a clock: the virtual time of the latest task it chose.  Whenever a task is queued or
 * chosen, its virtual time is brought near the clock of its CPU: not further behind than a slice,
 * or a long sleep would buy a long monopoly, and not further ahead than one turn can have taken it,
 * or a task that comes from CPUs where time ran fast would starve.
 */
#include "sched.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

enum { SHARED_QUEUE = 0, WEIGHT_NORMAL = 100, TURN_SLICES = 4 };
/* What a task of nice -20 burns of it in 22 s: less than the watchdog's 30 s. */
#define LEAD_MAX_NS 250000000ull

extern __s32 scx_bpf_create_dsq(__u64 id, __s32 node) __ksym;
extern void scx_bpf_dsq_insert(struct task_struct *p, __u64 id, __u64 slice, __u64 flags) __ksym;
extern void scx_bpf_dsq_insert_vtime(struct task_struct *p, __u64 id, __u64 slice, __u64 vtime,
				     __u64 flags) __ksym;
extern bool scx_bpf_dsq_move_to_local(__u64 id) __ksym;
extern __s32 scx_bpf_select_cpu_dfl(struct task_struct *p, __s32 prev_cpu, __u64 wake_flags,
				    bool *is_idle) __ksym;
extern __s32 scx_bpf_pick_idle_cpu(const struct cpumask *allowed, __u64 flags) __ksym;
extern void scx_bpf_kick_cpu(__s32 cpu, __u64 flags) __ksym;
extern __s32 scx_bpf_task_cpu(const struct task_struct *p) __ksym;
extern bool scx_bpf_task_set_slice(struct task_struct *p, __u64 slice) __ksym;
extern int bpf_iter_scx_dsq_new(struct bpf_iter_scx_dsq *it, __u64 id, __u64 flags) __ksym;
extern struct task_struct *bpf_iter_scx_dsq_next(struct bpf_iter_scx_dsq *it) __ksym;
extern void bpf_iter_scx_dsq_destroy(struct bpf_iter_scx_dsq *it) __ksym;
extern bool bpf_cpumask_test_cpu(__u32 cpu, const struct cpumask *mask) __ksym;

char sched_license[] SEC("license") = "Dual BSD/GPL";

const volatile struct sched_options options SEC(".rodata.options");
struct sched_counters counters SEC(".data.counters");
static __u64 clocks[SCHED_CPUS];

struct task_state {
	__u64 vtime;
	__u64 charged_ns; /* sum_exec_runtime that vtime knows of */
	bool has_yielded;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_state);
} states SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 16);
} exits SEC(".maps");

static struct task_state *state_of(struct task_struct *p)
{
	return bpf_task_storage_get(&states, p, NULL, 0);
}

static __u64 *clock_of(__s32 cpu)
{
	return &clocks[(__u32)cpu % SCHED_CPUS];
}

static bool is_before(__u64 a, __u64 b)
{
	return (__s64)(a - b) < 0;
}

static __u64 weighted(const struct task_struct *p, __u64 ns)
{
	__u32 weight = p->scx.weight;

	return weight ? ns * WEIGHT_NORMAL / weight : ns;
}

static void charge(const struct task_struct *p, struct task_state *state)
{
	__u64 total = p->se.sum_exec_runtime;

	state->vtime += weighted(p, total - state->charged_ns);
	state->charged_ns = total;
}

/* Slices end with a tick, so a turn may take longer. */
static void bring_near(const struct task_struct *p, struct task_state *state, __u64 clock)
{
	__u64 earliest = clock - options.slice_ns;
	__u64 lead = weighted(p, TURN_SLICES * options.slice_ns);
	__u64 latest = clock + (lead < LEAD_MAX_NS ? lead : LEAD_MAX_NS);

	if (is_before(state->vtime, earliest))
		state->vtime = earliest;
	else if (is_before(latest, state->vtime))
		state->vtime = latest;
}

static void choose(const struct task_struct *p, struct task_state *state, __s32 cpu)
{
	__u64 *clock = clock_of(cpu);

	bring_near(p, state, *clock);
	if (is_before(*clock, state->vtime))
		*clock = state->vtime;
}

static bool is_to_be_dropped(const struct task_struct *p)
{
	static __u64 nr;

	if (!options.drop_every || !p->mm ||
	    (__sync_fetch_and_add(&nr, 1) + 1) % options.drop_every != 0)
		return false;
	__sync_fetch_and_add(&counters.dropped, 1);
	return true;
}

SEC("struct_ops/sched_select_cpu")
__s32 BPF_PROG(sched_select_cpu, struct task_struct *p, __s32 prev_cpu, __u64 wake_flags)
{
	bool is_idle = false;
	__s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &is_idle);

	if (is_idle) {
		__sync_fetch_and_add(&counters.direct, 1);
		scx_bpf_dsq_insert(p, bpf_core_enum_value(enum scx_dsq_id_flags, SCX_DSQ_LOCAL),
				   options.slice_ns, 0);
	}
	return cpu;
}

SEC("struct_ops/sched_enqueue")
void BPF_PROG(sched_enqueue, struct task_struct *p, __u64 enq_flags)
{
	struct task_state *state = state_of(p);
	__s32 cpu = scx_bpf_task_cpu(p);
	__u64 vtime = *clock_of(cpu);

	if (is_to_be_dropped(p))
		return;
	if (state) {
		bring_near(p, state, vtime);
		vtime = state->vtime;
	}
	scx_bpf_dsq_insert_vtime(p, SHARED_QUEUE, options.slice_ns, vtime, enq_flags);
	__sync_fetch_and_add(&counters.queued, 1);
	/* A CPU that fell idle since select_cpu() looked would not notice. */
	cpu = scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);
	if (cpu >= 0) {
		__sync_fetch_and_add(&counters.kicked, 1);
		scx_bpf_kick_cpu(cpu, bpf_core_enum_value(enum scx_kick_flags, SCX_KICK_IDLE));
	}
}

/* Is a task queued that may run on @cpu and comes before @vtime? */
static bool is_outrun(__s32 cpu, __u64 vtime)
{
	struct bpf_iter_scx_dsq it;
	struct task_struct *p;
	bool is_before_it = false;

	bpf_iter_scx_dsq_new(&it, SHARED_QUEUE, 0);
	while ((p = bpf_iter_scx_dsq_next(&it))) {
		if (!bpf_cpumask_test_cpu((__u32)cpu, p->cpus_ptr))
			continue;
		is_before_it = is_before(p->scx.dsq_vtime, vtime);
		break;
	}
	bpf_iter_scx_dsq_destroy(&it);
	return is_before_it;
}

/* @prev goes on: a choice like any other, but without running(). */
static void keep(struct task_struct *prev, struct task_state *state, __s32 cpu)
{
	choose(prev, state, cpu);
	scx_bpf_task_set_slice(prev, options.slice_ns);
}

SEC("struct_ops/sched_dispatch")
void BPF_PROG(sched_dispatch, __s32 cpu, struct task_struct *prev)
{
	struct task_state *state = NULL;

	if (prev && prev->scx.flags & bpf_core_enum_value(enum scx_ent_flags, SCX_TASK_QUEUED))
		state = state_of(prev);
	if (state) {
		charge(prev, state);
		/* It is not in the queue, so it would lose its turn to anybody there. */
		if (!state->has_yielded && !is_outrun(cpu, state->vtime)) {
			keep(prev, state, cpu);
			return;
		}
		state->has_yielded = false;
	}
	if (!scx_bpf_dsq_move_to_local(SHARED_QUEUE) && state)
		keep(prev, state, cpu);
}

SEC("struct_ops/sched_yield")
bool BPF_PROG(sched_yield, struct task_struct *from, struct task_struct *to)
{
	struct task_state *state = state_of(from);

	if (state)
		state->has_yielded = true;
	scx_bpf_task_set_slice(from, 0);
	return false;
}

SEC("struct_ops/sched_running")
void BPF_PROG(sched_running, struct task_struct *p)
{
	struct task_state *state = state_of(p);

	if (state)
		choose(p, state, scx_bpf_task_cpu(p));
}

SEC("struct_ops/sched_stopping")
void BPF_PROG(sched_stopping, struct task_struct *p, bool runnable)
{
	struct task_state *state = state_of(p);

	if (state)
		charge(p, state);
}

SEC("struct_ops/sched_enable")
void BPF_PROG(sched_enable, struct task_struct *p)
{
	struct task_state *state = state_of(p);

	if (state) {
		state->vtime = *clock_of(scx_bpf_task_cpu(p));
		state->charged_ns = p->se.sum_exec_runtime;
	}
}

SEC("struct_ops/sched_init_task")
__s32 BPF_PROG(sched_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	return bpf_task_storage_get(&states, p, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE) ? 0 : -12;
}

/* Without these two the kernel ends the scheduler at each CPU that comes or goes; to one queue for
 * all it makes no difference. */
SEC("struct_ops/sched_cpu_online")
void BPF_PROG(sched_cpu_online, __s32 cpu)
{
}

SEC("struct_ops/sched_cpu_offline")
void BPF_PROG(sched_cpu_offline, __s32 cpu)
{
}

SEC("struct_ops/sched_init")
__s32 BPF_PROG(sched_init)
{
	return scx_bpf_create_dsq(SHARED_QUEUE, -1);
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
	.yield = (void *)sched_yield,
	.running = (void *)sched_running,
	.stopping = (void *)sched_stopping,
	.enable = (void *)sched_enable,
	.init_task = (void *)sched_init_task,
	.cpu_online = (void *)sched_cpu_online,
	.cpu_offline = (void *)sched_cpu_offline,
	.init = (void *)sched_init,
	.exit = (void *)sched_exit,
	.name = "ktstr",
};
