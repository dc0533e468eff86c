/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * collect.h - the seam between a capture and its collectors.
 *
 * A collector finds the threads and fills what it can of their records (values and texts); the
 * steps after it are common to all: records outside the filters are dropped, the rest is sorted,
 * jemalloc counters and memory maps are read from the processes that are left, then the values of
 * cgroups and host.
 *
 * A collector adds each thread with builder_add_thread(c->builder), sets tgid, tid, values and
 * texts, and what the later steps must know in the thread's note (builder_note()).  Order does not
 * matter, nor do duplicates.  A thread that is gone before anything is known is taken back with
 * builder_drop_thread() and counted in summary.ghosts; the leader of a living process is never
 * left out.  What it cannot read stays absent.
 *
 * Filters need no care: what is outside them is dropped later.  collect_wants_*() let a collector
 * skip work for threads that would be dropped anyway.
 */
#ifndef KTSTR_CTPROF_COLLECT_H
#define KTSTR_CTPROF_COLLECT_H

#include "ctprof/snapshot.h"

struct cgroup_mounts;

struct collect {
	const struct ktstr_ctprof_opts *opts;
	struct builder *builder;
	int proc_fd;				   /* the folder @opts->proc */
	const struct cgroup_mounts *cgroup_mounts; /* never NULL, but may have none */
	bool live;				   /* it is this machine's /proc, not a copy */
	bool foreign;	 /* it numbers processes otherwise than system calls do */
	uint32_t self;	 /* the capturing process as it numbers it; 0: not in it */
	bool host_known; /* the builder has the host's values already */
};

struct collector {
	const char *name; /* as in the file */
	/*
	 * Return: 0; -EOPNOTSUPP with the reason in @err, if it cannot work here: nothing was
	 * added, and another collector may be tried; any other -errno ends the capture.
	 */
	int (*fill)(struct collect *c, struct ktstr_error *err);
};

extern const struct collector procfs_collector, bpf_collector;

/*
 * Fills the records with the collector that is asked for; AUTO: bpf where it works and pays, else
 * procfs with the reason in the snapshot's warnings.  Return: as fill().
 */
int collect_threads(struct collect *c, struct ktstr_error *err) KTSTR_MUST_CHECK;
bool collect_wants_process(const struct collect *c, uint32_t tgid);
/* @comm: of the thread itself; @pcomm: of its process.  One of them must match. */
bool collect_wants_comm(const struct collect *c, const char *comm, const char *pcomm);
bool collect_wants_cgroup(const struct collect *c, const char *path);
/* By all that is in its record. */
bool collect_wants_thread(const struct collect *c, const struct ktstr_ctprof_thread *t);
/* Drops every thread that one of the filters refuses, or that lacks what a filter asks for. */
void collect_apply_filters(struct collect *c);

/* Why a value is absent, as far as @error, an -errno of /proc or taskstats, tells by itself. */
enum ktstr_ctprof_reason collect_reason(int error);

/* Adds the threads of one process as procfs sees them; none if there is no such process.
 * Return: 0, -errno as procfs_collector. */
int collect_process(struct collect *c, uint32_t tgid, struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Fills the host's values.  Return: 0, -ENOMEM. */
int collect_host(const struct collect *c) KTSTR_MUST_CHECK;
/* Fills what /proc/PID/smaps_rollup says of leaders.  Return: 0, -ENOMEM. */
int collect_smaps(struct collect *c) KTSTR_MUST_CHECK;
/*
 * Fills the jemalloc counters of every thread there is.  The builder must be sorted.
 * Return: 0, -ENOMEM.
 */
int collect_jemalloc(struct collect *c) KTSTR_MUST_CHECK;

#endif
