/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * cgroup_text.h - the texts of cgroup v2 turned into values; nothing here opens a file.
 *
 * A parser sets the values it understood; -EINVAL says that something was not as the kernel writes
 * it, and values set before stay.
 *
 * Source: Documentation/admin-guide/cgroup-v2.rst; proc.rst section 3.5 (mountinfo).
 */
#ifndef KTSTR_CTPROF_CGROUP_TEXT_H
#define KTSTR_CTPROF_CGROUP_TEXT_H

#include "ctprof/snapshot.h"
#include "ctprof/span.h"

enum { CGROUP_PATH_BYTES = 4096, CGROUP_MOUNTS = 4 };

/* A mount of cgroup v2 and which part of the tree it shows, as our cgroup namespace names it:
 * "/" all of it, "/a" a part, "/.." more than the namespace has. */
struct cgroup_mount {
	char path[CGROUP_PATH_BYTES];
	char root[CGROUP_PATH_BYTES];
};

/* No two show the same part; one that shows the whole tree comes first. */
struct cgroup_mounts {
	struct cgroup_mount list[CGROUP_MOUNTS];
	size_t nr;
};

/* What is beyond CGROUP_MOUNTS is left out. */
void cgroup_find_mounts(struct span mountinfo, struct cgroup_mounts *ret_mounts);
/* What is left of @path below a mount that shows @root, without a slash at the front, "" for its
 * top; NULL: it is not below, as it may be in another namespace. */
const char *cgroup_below(const char *path, const char *root);

int cgroup_parse_cpu_stat(struct span text, struct ktstr_ctprof_cgroup *c);
int cgroup_parse_cpu_max(struct span text, struct ktstr_ctprof_cgroup *c);
int cgroup_parse_memory_stat(struct span text, struct ktstr_ctprof_cgroup *c);
int cgroup_parse_memory_events(struct span text, struct ktstr_ctprof_cgroup *c);
/* All devices together; a group without any has done nothing: zeros. */
int cgroup_parse_io_stat(struct span text, struct ktstr_ctprof_cgroup *c);
/* @first: the row of avg10 of "some", or of "full" for a file without "some". */
int cgroup_parse_pressure(struct span text, struct ktstr_ctprof_cgroup *c,
			  enum ktstr_ctprof_cgroup_metric first);
/* A file that holds one number, or "max". */
int cgroup_parse_number(struct span text, int64_t *ret_value);
/* "12.34" or "max" (100 %), in hundredths of a percent. */
int cgroup_parse_percent(struct span text, int64_t *ret_value);

#endif
