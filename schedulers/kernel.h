/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * kernel.h - the few kernel types that ktstr-sched uses, written by hand.
 *
 * Only names count: when the object is loaded, libbpf moves every access to where the running
 * kernel's BTF has the field (CO-RE), so a member that is not used is not listed and the order says
 * nothing.  Values of enumerators are taken from the kernel too (bpf_core_enum_value()); those
 * given here are never used.  struct sched_ext_ops is matched member by member, by name.
 *
 * The loader includes this file as well, for the layout of struct sched_ext_ops in the object.
 */
#ifndef KTSTR_SCHEDULERS_KERNEL_H
#define KTSTR_SCHEDULERS_KERNEL_H

#include <stdbool.h>

#ifdef __bpf__
typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;

/* Of enum bpf_map_type and of the flags of bpf_task_storage_get(); part of the kernel's API. */
enum { BPF_MAP_TYPE_RINGBUF = 27, BPF_MAP_TYPE_TASK_STORAGE = 29 };
enum { BPF_F_NO_PREALLOC = 1, BPF_LOCAL_STORAGE_GET_F_CREATE = 1 };

enum scx_dsq_id_flags { SCX_DSQ_LOCAL = 1 };
enum scx_kick_flags { SCX_KICK_IDLE = 1 };
enum scx_public_consts { SCX_SLICE_DFL = 1 };
enum scx_ent_flags { SCX_TASK_QUEUED = 1 };
enum scx_exit_kind { SCX_EXIT_NONE };

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
	__u64 dsq_vtime;
};

struct task_struct {
	struct sched_entity se;
	struct sched_ext_entity scx;
	const struct cpumask *cpus_ptr;
	struct cpumask cpus_mask; /* unused, but a mere pointer keeps its type out of the object */
	void *mm;
};

struct scx_exit_info {
	enum scx_exit_kind kind;
	__s64 exit_code;
	const char *reason;
	char *msg;
	char *dump;
};

#pragma clang attribute pop

struct bpf_iter_scx_dsq {
	__u64 opaque[6];
};
#else
#include <linux/types.h>
#endif

struct task_struct;
struct scx_init_task_args;
struct scx_exit_info;

struct sched_ext_ops {
	__s32 (*select_cpu)(struct task_struct *p, __s32 prev_cpu, __u64 wake_flags);
	void (*enqueue)(struct task_struct *p, __u64 enq_flags);
	void (*dispatch)(__s32 cpu, struct task_struct *prev);
	bool (*yield)(struct task_struct *from, struct task_struct *to);
	void (*running)(struct task_struct *p);
	void (*stopping)(struct task_struct *p, bool runnable);
	void (*enable)(struct task_struct *p);
	__s32 (*init_task)(struct task_struct *p, struct scx_init_task_args *args);
	void (*cpu_online)(__s32 cpu);
	void (*cpu_offline)(__s32 cpu);
	__s32 (*init)(void);
	void (*exit)(struct scx_exit_info *info);
	__u64 flags;
	__u32 timeout_ms;
	char name[128];
};

#endif
