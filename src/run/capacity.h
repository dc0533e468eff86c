/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * capacity.h - CPUs and memory that this process may use.
 *
 * CPUs are those of its affinity.  Memory is /proc/meminfo, or what the control groups above it
 * leave if that is less: cgroup v2 memory.max and memory.current, v1 memory.limit_in_bytes and
 * memory.usage_in_bytes; file pages not used lately count as free, as they do in MemAvailable.
 */
#ifndef KTSTR_RUN_CAPACITY_H
#define KTSTR_RUN_CAPACITY_H

#include <stdint.h>

#include <ktstr/error.h>

struct capacity {
	uint32_t cpus;
	uint64_t total_bytes, available_bytes;
};

/* @root: in front of /proc and /sys, "" for this machine.  Return: 0, -ENODATA (no MemTotal or
 * MemAvailable), -errno. */
int capacity_read(const char *root, struct capacity *ret_capacity,
		  struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
