/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * implemented.h - which operations the attached scheduler has, as the kernel sees it.
 *
 * BPF maps of type STRUCT_OPS are walked; the one whose value has the scheduler's name and is in use
 * is it.  Where things are in that value is handed over by the host (kernel/ops_offsets.h has the
 * form), as the kernel's own BTF is large and slow to read in a guest.
 *
 * Operations of the form sched_ext_ops_cid are told by the names of the other form, as it is the same
 * promise: "cpuctl_set_weight" as "cgroup_set_weight", "set_cmask" as "set_cpumask".
 */
#ifndef KTSTR_SCHED_IMPLEMENTED_H
#define KTSTR_SCHED_IMPLEMENTED_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include <ktstr/error.h>

enum { IMPLEMENTED_MAPS = 4096, IMPLEMENTED_VALUE_BYTES = 1 << 16 };

/*
 * @ops: the scheduler's name (struct story, ops); @ret_names: sorted array of texts, the caller's.
 * Needs CAP_SYS_ADMIN.  Return: 0; -ENODATA (no such map, or @offsets do not fit this kernel); -errno
 * of bpf(2); -ENOMEM.
 */
int implemented_ops(const json_t *offsets, const char *ops, json_t **ret_names,
		    struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Of one value, for tests.  Return: 0, -ENODATA (not of that name, not in use), -ENOMEM. */
int implemented_read_value(const json_t *offsets, const char *of, const char *ops,
			   const void *value, size_t length, json_t **ret_names) KTSTR_MUST_CHECK;

#endif
