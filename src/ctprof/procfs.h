/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * procfs.h - the texts of /proc turned into values; nothing here opens a file.
 *
 * Texts come as a span, which need not end in NUL and may hold any bytes.  A parser sets the
 * values it understood; -EINVAL says that something was not as the kernel writes it, and values
 * set before stay.  stat and io are taken whole or not at all.
 *
 * Source: fs/proc/array.c (stat, status), fs/proc/base.c (schedstat, io), kernel/sched/debug.c
 * (sched), Documentation/filesystems/proc.rst section 3.5 (mountinfo).
 */
#ifndef KTSTR_CTPROF_PROCFS_H
#define KTSTR_CTPROF_PROCFS_H

#include "ctprof/snapshot.h"
#include "ctprof/span.h"

enum {
	PROCFS_COMM_BYTES = 64, /* 15 in tasks, more for the names of kernel workers */
	PROCFS_PF_KTHREAD = 0x00200000
};

/* What stat and status say besides values. */
struct procfs_extra {
	char comm[PROCFS_COMM_BYTES]; /* any bytes but NUL, terminated */
	bool kernel_thread;
	bool zombie;
	struct span affinity; /* inside the text that was parsed */
};

int procfs_parse_stat(struct span text, struct ktstr_ctprof_thread *t, struct procfs_extra *extra);
/* hiwater_* are set for every thread; the walk keeps them on leaders only. */
int procfs_parse_status(struct span text, struct ktstr_ctprof_thread *t,
			struct procfs_extra *extra);
int procfs_parse_schedstat(struct span text, struct ktstr_ctprof_thread *t);
int procfs_parse_sched(struct span text, struct ktstr_ctprof_thread *t);
int procfs_parse_io(struct span text, struct ktstr_ctprof_thread *t);
int procfs_parse_smaps_rollup(struct span text, struct ktstr_ctprof_leader *leader);
/* The path of the v2 line inside @text.  Return: 0, -ENOENT (no v2 line), -EINVAL. */
int procfs_parse_cgroup(struct span text, struct span *ret_path);

/* One line of /proc/PID/maps. */
struct procfs_map {
	uint64_t start, end, offset, inode;
	uint32_t dev_major, dev_minor;
	bool executable;
	struct span path; /* inside the text; empty for memory without a file */
};

/* Cuts the next line that is understood off @text.  Return: false at the end. */
bool procfs_next_map(struct span *text, struct procfs_map *ret_map);

#endif
