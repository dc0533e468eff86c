/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* tree.h - what a struct cgroups is made of, for the files of this folder. */
#ifndef KTSTR_CGROUP_TREE_H
#define KTSTR_CGROUP_TREE_H

#include "cgroup/cgroup.h"
#include "cgroup/change.h"

struct cgroups {
	char *root;		  /* path */
	char *controllers;	  /* "+cpu +cpuset" */
	char *names[CGROUPS_MAX]; /* in the order they were made: parents first */
	size_t nr;
	uint64_t timeout_ns;
	struct changer *changer;
};

/* Path of a cgroup, or of a file in it; malloc'ed, NULL for lack of memory. */
char *cgroups_path(const struct cgroups *cgroups, const char *name, const char *file);

/* A change, whose failure is told with path and text.  Return: as changer_do(). */
int cgroups_change(struct cgroups *cgroups, const struct change *change,
		   struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Return: 0, -EINVAL (no name), -ENOENT (none such in the tree). */
int cgroups_find(const struct cgroups *cgroups, const char *name,
		 struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Waits until a row of cgroup.events has this value.  Return: 0, -ETIMEDOUT, -errno; no text. */
int cgroups_await(const struct cgroups *cgroups, const char *name, const char *key, uint64_t value,
		  uint64_t until_ns) KTSTR_MUST_CHECK;

/* Kills what is in a cgroup, not below, until it is not populated.  Return: 0 (also if it is not there),
 * -EBUSY, -errno. */
int cgroups_empty(const struct cgroups *cgroups, const char *name,
		  struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
