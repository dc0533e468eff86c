/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * cgroup.h - a tree of cgroups (version 2) of one's own, below a mount.
 *
 *	mount			controllers are enabled for the children of each that is to have
 *	`-- root		children; root is "domain threaded", all below it are "threaded",
 *	    |-- left		so that a cgroup may hold both tasks and cgroups, and threads can
 *	    |   `-- inner	be moved one by one
 *	    `-- right
 *
 * Names are paths below the root without '/' at either end, "left/inner"; NULL and "" are the root.
 *
 * A scheduler can keep a change to cgroupfs from ever returning.  So each is made by a thread of its own,
 * of the policy that the creator of the tree has then, and waited for until a deadline: -ETIMEDOUT names
 * the file and what was written.  A thread that is stuck is left alone with what it needs; after
 * CGROUPS_STUCK_MAX of them nothing more is tried.
 *
 * One thread uses a tree at a time.  Unless said otherwise: Return: 0, -ENOENT (no such cgroup), -EINVAL
 * (not a name, or the kernel does not take the text), -ETIMEDOUT, -ENOMEM, or what the kernel said;
 * nothing is changed on failure.
 *
 * Source: Documentation/admin-guide/cgroup-v2.rst of Linux.
 */
#ifndef KTSTR_CGROUP_CGROUP_H
#define KTSTR_CGROUP_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/strbuf.h"
#include <ktstr/error.h>

enum { CGROUPS_CONTROLLERS = 4, CGROUPS_STUCK_MAX = 4, CGROUPS_MAX = 256, CGROUPS_NAME = 256 };

struct cgroups;

struct cgroups_opts {
	const char *mount;			      /* "/sys/fs/cgroup" */
	const char *root;			      /* "ktstr"; must not be there yet */
	const char *controllers[CGROUPS_CONTROLLERS]; /* "cpu"; threaded ones only */
	uint64_t timeout_ns;			      /* of a change; 0: 2 s */
};

/* Enables the controllers, makes the root.  Return: also -ENODEV (a controller is missing; the text names
 * it), -EEXIST (the root is there). */
int cgroups_create(const struct cgroups_opts *opts, struct cgroups **ret_cgroups,
		   struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Kills what is left in the tree, removes all of it, and frees @cgroups in any case.  Return: also -EBUSY
 * (tasks would not go).  On failure the text says what is left. */
int cgroups_destroy(struct cgroups *cgroups, struct ktstr_error *err);

/* From now on: of a change, and of what the kernel does after it (freezing, emptying). */
void cgroups_set_timeouts(struct cgroups *cgroups, uint64_t change_ns, uint64_t after_ns);

/* Makes a cgroup, whose parent is there.  Return: also -EEXIST, -ENOSPC (more than CGROUPS_MAX). */
int cgroups_make(struct cgroups *cgroups, const char *name,
		 struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Kills what is left in a cgroup and below, and removes them, the lowest first.  Return: also -EBUSY.  On
 * failure some may be gone. */
int cgroups_remove(struct cgroups *cgroups, const char *name,
		   struct ktstr_error *err) KTSTR_MUST_CHECK;

/* The names of all but the root, in the order they were made; valid until the next change. */
size_t cgroups_count(const struct cgroups *cgroups);
const char *cgroups_name(const struct cgroups *cgroups, size_t i);
bool cgroups_has(const struct cgroups *cgroups, const char *name);

/* "cpuset.cpus", "0-3": one write of a file; "" empties it. */
int cgroups_write(struct cgroups *cgroups, const char *name, const char *file, const char *text,
		  struct ktstr_error *err) KTSTR_MUST_CHECK;

/* @out is replaced, without the last newline. */
int cgroups_read(const struct cgroups *cgroups, const char *name, const char *file,
		 struct strbuf *out, struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Moves threads; their processes need not have been in the tree.  Those that have ended are passed over; a
 * kernel that is busy is asked again a few times.  On failure some may have been moved. */
int cgroups_move(struct cgroups *cgroups, const char *name, const pid_t *tids, size_t nr,
		 struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Freezes or thaws, and waits until cgroup.events says so.  Return: also -ETIMEDOUT (it never did). */
int cgroups_freeze(struct cgroups *cgroups, const char *name, bool frozen,
		   struct ktstr_error *err) KTSTR_MUST_CHECK;

struct cgroup_stat {
	bool has_usage, has_throttled;
	uint64_t usage_ns, throttled_ns; /* cpu.stat has microseconds */
};
int cgroups_stat(const struct cgroups *cgroups, const char *name, struct cgroup_stat *ret_stat,
		 struct ktstr_error *err) KTSTR_MUST_CHECK;

/* From the text of cpu.stat.  What is not in it stays missing; junk is -EINVAL. */
int cgroup_stat_parse(const char *text, struct cgroup_stat *ret_stat) KTSTR_MUST_CHECK;

/* The value of a row "@key 1" of a flat keyed file.  Return: 0, -ENODATA, -EINVAL. */
int cgroup_key_parse(const char *text, const char *key, uint64_t *ret_value) KTSTR_MUST_CHECK;

#endif
