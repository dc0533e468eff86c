/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * walk.h - reading the cgroup v2 tree, after the threads.
 */
#ifndef KTSTR_CTPROF_WALK_H
#define KTSTR_CTPROF_WALK_H

#include "ctprof/snapshot.h"

struct cgroup_mounts;

/* The values of every cgroup the threads of @b are in, as far as they are below a mount.  @jobs:
 * threads that read at most; 0: a share of the idle CPUs.  Return: 0, -ENOMEM. */
int walk_cgroups(struct builder *b, const struct cgroup_mounts *mounts,
		 unsigned int jobs) KTSTR_MUST_CHECK;

#endif
