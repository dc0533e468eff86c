/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * walk.h - the walk over all threads below one /proc.
 *
 * Invariants: descriptors and buffers are reused from thread to thread; per thread and file there
 * is one open, one read and one close.
 */
#ifndef KTSTR_CTPROF_WALK_H
#define KTSTR_CTPROF_WALK_H

#include "ctprof/jemalloc.h"
#include "ctprof/snapshot.h"

struct pid_list {
	uint32_t *pids;
	size_t nr, size;
};

struct walk {
	struct builder *builder;
	struct jemalloc *jemalloc; /* NULL: not asked */
	int proc_fd;
	uint32_t self; /* the capturing process as this /proc numbers it; 0: not in it */
	uint32_t only; /* 0: all */
	bool foreign;  /* this /proc numbers processes otherwise than system calls do */
	char *buf;
	size_t buf_size;
	bool missing[KTSTR_CTPROF_NR_FILES]; /* this kernel has no such file */
	struct pid_list tids;
};

void walk_deinit(struct walk *w);
/* Return: 0, -errno of listing @w->proc_fd, -ENOMEM, -E2BIG. */
int walk_all(struct walk *w, struct ktstr_error *err) KTSTR_MUST_CHECK;
/* The values of every cgroup the threads of @b are in, below the tree at @root. */
int walk_cgroups(struct builder *b, const char *root) KTSTR_MUST_CHECK;

#endif
