/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ctprof_kernel.h - the few kernel types the collector reads, written by hand.
 *
 * Only names count: when the program is loaded, the kernel moves every access to where it has the
 * field (CO-RE), so order and members that are not used say nothing.  x___old is another shape of
 * x, of other versions.  Which version has which field stands where it is used.
 */
#ifndef KTSTR_BPF_CTPROF_KERNEL_H
#define KTSTR_BPF_CTPROF_KERNEL_H

#include "bpf/integers.h"

typedef _Bool bool;
enum { false, true };

/* Of enum bpf_map_type; part of the kernel's API. */
enum { BPF_MAP_TYPE_HASH = 1, BPF_MAP_TYPE_ARRAY = 2, BPF_MAP_TYPE_PERCPU_ARRAY = 6 };
enum { BPF_F_NO_PREALLOC = 1 };

/* Values of include/linux/sched.h and cgroup-defs.h that never changed since Linux 5.15. */
enum {
	TASK_REPORT = 0x7f,
	TASK_UNINTERRUPTIBLE = 0x02,
	TASK_IDLE = 0x402,
	TASK_REPORT_IDLE = 0x80,
	TASK_LOOKS_UNINTERRUPTIBLE = 0x9000, /* TASK_RTLOCK_WAIT, TASK_FROZEN */
	PF_WQ_WORKER = 0x20,
	PF_KTHREAD = 0x200000,
	CSS_ONLINE = 2,
	MAX_RT_PRIO = 100
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct cpumask {
	unsigned long bits[1];
};

struct sched_statistics {
	__u64 wait_max, wait_count, wait_sum, iowait_count, iowait_sum, sleep_max;
	__s64 sum_sleep_runtime;
	__u64 block_max;
	__s64 sum_block_runtime;
	__u64 exec_max, slice_max;
	__u64 nr_failed_migrations_affine, nr_failed_migrations_running, nr_failed_migrations_hot;
	__u64 nr_forced_migrations;
	__u64 nr_wakeups, nr_wakeups_sync, nr_wakeups_migrate, nr_wakeups_local, nr_wakeups_remote;
	__u64 nr_wakeups_affine, nr_wakeups_affine_attempts;
	__u64 core_forceidle_sum;
};

struct sched_entity {
	__u64 sum_exec_runtime, nr_migrations, slice;
};

struct sched_info {
	unsigned long pcount;
	__u64 run_delay, max_run_delay, min_run_delay;
};

struct task_io_accounting {
	__u64 rchar, wchar, syscr, syscw, read_bytes, write_bytes, cancelled_write_bytes;
};

struct task_delay_info {
	__u64 blkio_delay, blkio_delay_max, blkio_delay_min;
	__u64 swapin_delay, swapin_delay_max, swapin_delay_min;
	__u64 freepages_delay, freepages_delay_max, freepages_delay_min;
	__u64 thrashing_delay, thrashing_delay_max, thrashing_delay_min;
	__u64 compact_delay, compact_delay_max, compact_delay_min;
	__u64 wpcopy_delay, wpcopy_delay_max, wpcopy_delay_min;
	__u64 irq_delay, irq_delay_max, irq_delay_min;
	__u32 blkio_count, swapin_count, freepages_count, thrashing_count;
	__u32 compact_count, wpcopy_count, irq_count;
};

struct prev_cputime {
	__u64 utime, stime;
};

struct thread_info {
	__u32 cpu;
};

struct thread_struct {
	unsigned long fsbase;
};

struct signal_struct {
	int nr_threads;
};

struct percpu_counter {
	__s64 count;
	__s32 *counters;
};

struct mm_struct {
	unsigned long task_size, hiwater_rss, hiwater_vm, total_vm;
	struct percpu_counter rss_stat[4]; /* since Linux 6.2 */
};

struct atomic_long___old {
	long counter;
};

struct mm_rss_stat {
	struct atomic_long___old count[4];
};

struct mm_struct___old {
	struct mm_rss_stat rss_stat;
};

struct upid {
	int nr;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct kernfs_node {
	__u64 id;
	const char *name;
	struct kernfs_node *__parent; /* since Linux 6.15 */
};

struct kernfs_node___old {
	struct kernfs_node *parent;
};

struct cgroup_subsys_state {
	unsigned int flags;
};

struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct cgroup_namespace {
	struct css_set *root_cset;
};

struct timespec64 {
	__s64 tv_sec;
	long tv_nsec;
};

struct timens_offsets {
	struct timespec64 boottime;
};

struct time_namespace {
	struct timens_offsets offsets;
};

struct nsproxy {
	struct time_namespace *time_ns;
	struct cgroup_namespace *cgroup_ns;
};

struct kthread {
	void *data;
	char *full_name; /* since Linux 5.17 */
};

struct worker_pool;

struct worker {
	void *current_work;
	struct worker_pool *pool;
	char desc[CTPROF_DESC_BYTES];
};

struct task_struct {
	struct thread_info thread_info;
	unsigned int __state;
	unsigned int flags;
	int prio, static_prio;
	unsigned int rt_priority;
	struct sched_entity se;
	const void *sched_class;
	struct sched_statistics stats; /* since Linux 5.16 */
	unsigned int policy;
	struct cpumask cpus_mask;
	struct sched_info sched_info;
	struct mm_struct *mm;
	int exit_state;
	int pid, tgid;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	void *worker_private; /* of a kernel thread, since Linux 5.17 */
	int *set_child_tid;   /* of a kernel thread until then: its struct kthread */
	__u64 utime, stime;
	struct prev_cputime prev_cputime;
	unsigned long nvcsw, nivcsw;
	__u64 start_boottime;
	unsigned long min_flt, maj_flt;
	char comm[CTPROF_COMM_BYTES];
	struct nsproxy *nsproxy;
	struct signal_struct *signal;
	__u64 self_exec_id;
	struct task_io_accounting ioac;
	struct css_set *cgroups;
	struct task_delay_info *delays;
	struct thread_struct thread;
};

struct sched_entity___old {
	struct sched_statistics statistics;
};

struct task_struct___old {
	struct sched_entity___old se;
	unsigned int cpu; /* until Linux 5.15 */
};

struct bpf_array {
	void *pptrs[1];
};

#pragma clang attribute pop

/* What the iterator is called with; nothing was ever moved in these. */
struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 session_id;
	__u64 seq_num;
};

struct bpf_iter__task {
	union {
		struct bpf_iter_meta *meta;
		__u64 pad_meta;
	};
	union {
		struct task_struct *task;
		__u64 pad_task;
	};
};

#endif
