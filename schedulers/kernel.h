/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * kernel.h - the few kernel types that ktstr-sched uses, written by hand.
 *
 * Only names count: when the object is loaded, libbpf moves every access to where the running
 * kernel's BTF has the field (CO-RE), so a member that is not used is not listed and the order says
 * nothing.  Values of enumerators are taken from the kernel too (bpf_core_enum_value()); those
 * given here are never used, unless a comment says so.  struct sched_ext_ops is matched member by
 * member, by name.
 *
 * The loader includes this file as well, for the layout of struct sched_ext_ops in the object.
 */
#ifndef KTSTR_SCHEDULERS_KERNEL_H
#define KTSTR_SCHEDULERS_KERNEL_H

#include <stdbool.h>

#ifdef __bpf__
#include "bpf/integers.h"

/* Of enum bpf_map_type and of the flags of bpf_task_storage_get(); part of the kernel's API. */
enum {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_TASK_STORAGE = 29
};
enum { BPF_F_NO_PREALLOC = 1, BPF_LOCAL_STORAGE_GET_F_CREATE = 1, CLOCK_MONOTONIC = 1 };

/* Opaque to programs, but their sizes count. */
struct bpf_timer {
	__u64 opaque[2];
};

struct bpf_spin_lock {
	__u32 val;
};

struct bpf_iter_scx_dsq {
	__u64 opaque[6];
};

enum scx_dsq_id_flags { SCX_DSQ_LOCAL_ON = 1 };
enum scx_kick_flags { SCX_KICK_IDLE = 1, SCX_KICK_PREEMPT = 2 };
enum scx_enq_flags { SCX_ENQ_LAST = 1, SCX_ENQ_WAKEUP = 2 };
enum scx_wake_flags { SCX_WAKE_FORK = 1 };
enum scx_ent_flags { SCX_TASK_QUEUED = 1 };
enum scx_exit_kind { SCX_EXIT_NONE };

/* For flags of the ops, which are data: the value counts. */
enum { OPS_ENQ_LAST = 2 };

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct cpumask {
	unsigned long bits[1];
};

struct sched_entity {
	__u64 sum_exec_runtime;
};

struct sched_ext_entity {
	__u32 flags;
	__u32 weight;
	__u64 slice;
	__u64 dsq_vtime;
};

struct task_struct {
	struct sched_entity se;
	struct sched_ext_entity scx;
	int nr_cpus_allowed;
	const struct cpumask *cpus_ptr;
	struct cpumask cpus_mask; /* unused, but a mere pointer keeps its type out of the object */
	void *mm;
};

struct kernfs_node {
	__u64 id;
};

struct cgroup;

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};

struct cgroup {
	struct cgroup_subsys_state self;
	int level;
	struct kernfs_node *kn;
};

struct scx_init_task_args {
	bool fork;
	struct cgroup *cgroup;
};

struct scx_cgroup_init_args {
	__u32 weight;
	__u64 bw_period_us;
	__u64 bw_quota_us;
	__u64 bw_burst_us;
	bool sched_idle;
};

struct scx_exit_info {
	enum scx_exit_kind kind;
	__s64 exit_code;
	const char *reason;
	char *msg;
	char *dump;
};

#pragma clang attribute pop
#else
#include <linux/types.h>
#endif

struct task_struct;
struct cpumask;
struct cgroup;
struct scx_init_task_args;
struct scx_cgroup_init_args;
struct scx_exit_info;

struct sched_ext_ops {
	__s32 (*select_cpu)(struct task_struct *p, __s32 prev_cpu, __u64 wake_flags);
	void (*enqueue)(struct task_struct *p, __u64 enq_flags);
	void (*dispatch)(__s32 cpu, struct task_struct *prev);
	void (*tick)(struct task_struct *p);
	void (*runnable)(struct task_struct *p, __u64 enq_flags);
	void (*running)(struct task_struct *p);
	void (*stopping)(struct task_struct *p, bool runnable);
	void (*quiescent)(struct task_struct *p, __u64 deq_flags);
	bool (*yield)(struct task_struct *from, struct task_struct *to);
	void (*set_weight)(struct task_struct *p, __u32 weight);
	void (*set_cpumask)(struct task_struct *p, const struct cpumask *mask);
	void (*enable)(struct task_struct *p);
	__s32 (*init_task)(struct task_struct *p, struct scx_init_task_args *args);
	__s32 (*cgroup_init)(struct cgroup *cgroup, struct scx_cgroup_init_args *args);
	void (*cgroup_exit)(struct cgroup *cgroup);
	void (*cgroup_move)(struct task_struct *p, struct cgroup *from, struct cgroup *to);
	void (*cgroup_set_weight)(struct cgroup *cgroup, __u32 weight);
	void (*cgroup_set_bandwidth)(struct cgroup *cgroup, __u64 period_us, __u64 quota_us,
				     __u64 burst_us);
	void (*cgroup_set_idle)(struct cgroup *cgroup, bool is_idle);
	void (*cpu_online)(__s32 cpu);
	void (*cpu_offline)(__s32 cpu);
	__s32 (*init)(void);
	void (*exit)(struct scx_exit_info *info);
	__u64 flags;
	__u32 timeout_ms;
	char name[128];
};

#endif
