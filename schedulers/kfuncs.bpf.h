/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* kfuncs.bpf.h - functions of the kernel that the scheduler calls. */
#ifndef KTSTR_SCHEDULERS_KFUNCS_BPF_H
#define KTSTR_SCHEDULERS_KFUNCS_BPF_H

#include "sched.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

extern __s32 scx_bpf_create_dsq(__u64 id, __s32 node) __ksym;
extern void scx_bpf_dsq_insert(struct task_struct *p, __u64 id, __u64 slice, __u64 flags) __ksym;
extern void scx_bpf_dsq_insert_vtime(struct task_struct *p, __u64 id, __u64 slice, __u64 vtime,
				     __u64 flags) __ksym;
extern bool scx_bpf_dsq_move_to_local(__u64 id) __ksym;
extern bool scx_bpf_dsq_move_vtime(struct bpf_iter_scx_dsq *it, struct task_struct *p, __u64 id,
				   __u64 flags) __ksym;
extern struct task_struct *scx_bpf_dsq_peek(__u64 id) __ksym;
extern __s32 scx_bpf_dsq_nr_queued(__u64 id) __ksym;
extern const struct cpumask *scx_bpf_get_idle_cpumask(void) __ksym;
extern const struct cpumask *scx_bpf_get_idle_smtmask(void) __ksym;
extern void scx_bpf_put_idle_cpumask(const struct cpumask *mask) __ksym;
extern bool scx_bpf_test_and_clear_cpu_idle(__s32 cpu) __ksym;
extern __s32 scx_bpf_pick_idle_cpu(const struct cpumask *allowed, __u64 flags) __ksym;
extern void scx_bpf_kick_cpu(__s32 cpu, __u64 flags) __ksym;
extern __s32 scx_bpf_task_cpu(const struct task_struct *p) __ksym;
extern bool scx_bpf_task_set_slice(struct task_struct *p, __u64 slice) __ksym;
extern int bpf_iter_scx_dsq_new(struct bpf_iter_scx_dsq *it, __u64 id, __u64 flags) __ksym;
extern struct task_struct *bpf_iter_scx_dsq_next(struct bpf_iter_scx_dsq *it) __ksym;
extern void bpf_iter_scx_dsq_destroy(struct bpf_iter_scx_dsq *it) __ksym;
extern bool bpf_cpumask_test_cpu(__u32 cpu, const struct cpumask *mask) __ksym;
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;

#endif
