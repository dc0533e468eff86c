/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * visit.h - the files of one thread below /proc, read into its record.
 *
 * Invariants: buffers are reused from thread to thread; per file there is one open, one read and
 * one close.  Of this machine's own threads as little as possible is read:
 * - a thread's cgroup is its leader's, unless the leader's cgroup can hold threads of one process
 *   apart from each other;
 * - affinity comes from sched_getaffinity() if every possible CPU is online, as only then it says
 *   what "status" says; context switches stand in "sched" too; so "status" is read of leaders only;
 * - "schedstat" is not read if taskstats are asked for anyway.
 * Of a copy of /proc everything is read.
 */
#ifndef KTSTR_CTPROF_VISIT_H
#define KTSTR_CTPROF_VISIT_H

#include "ctprof/collect.h"
#include "ctprof/procfs.h"
#include "ctprof/taskstats.h"

enum { VISIT_AFFINITY_BYTES = 1024 };

/* What one reader of /proc keeps from thread to thread. */
struct reader {
	const struct collect *collect;
	struct builder *builder;
	char *buf;
	size_t buf_size;
	bool missing[KTSTR_CTPROF_NR_FILES]; /* this kernel has no such file */
	bool calls_for_affinity;
	bool taskstats; /* are asked for after the visit */
	int cgroup_fd;	/* the cgroup v2 tree; -1: each thread's own file is read */
	/* The last masks and texts seen. */
	unsigned char affinity[VISIT_AFFINITY_BYTES];
	size_t affinity_len;
	const char *affinity_text;
};

/* A process while its threads are visited. */
struct process {
	uint32_t tgid;
	int task_fd;
	const char *pcomm;  /* interned */
	const char *cgroup; /* interned; of all its threads; NULL: each has its own */
};

int reader_init(struct reader *r, const struct collect *c, struct builder *b) KTSTR_MUST_CHECK;
void reader_deinit(struct reader *r);

/*
 * Adds the thread @tid of @p to the reader's builder, or counts a ghost.  A process's leader must
 * be its first.  Return: 0, -ENOMEM, -E2BIG, -EMFILE, -ENFILE.
 */
int visit_thread(struct reader *r, struct process *p, uint32_t tid) KTSTR_MUST_CHECK;
/* Counts that @file gave nothing of one thread. */
void reader_count_failure(struct reader *r, enum ktstr_ctprof_file file,
			  enum ktstr_ctprof_reason reason);

#endif
