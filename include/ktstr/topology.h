/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * topology.h - the CPU topology a test asks for, and the one a machine shows.
 *
 * Written "2n4l4c2t": NUMA nodes, last-level caches in all, cores per LLC, threads per core.
 * A struct ktstr_shape is what a kernel reports in sysfs; comparing the two is how a run knows
 * that the VM it asked for is the VM it got.
 *
 * Source of the sysfs files: Documentation/admin-guide/cputopology.rst,
 * Documentation/ABI/testing/sysfs-devices-system-cpu and sysfs-devices-node of the kernel.
 */
#ifndef KTSTR_TOPOLOGY_H
#define KTSTR_TOPOLOGY_H

#include <stddef.h>
#include <stdint.h>

#include <ktstr/error.h>

enum {
	KTSTR_TOPOLOGY_MAX_CPUS = 255, /* what one emulated PC can address without x2APIC */
	KTSTR_TOPOLOGY_MAX_NODES = 8,
	KTSTR_TOPOLOGY_NEAR = 10, /* NUMA distance of a node to itself */
	KTSTR_TOPOLOGY_FAR = 20,  /* between any two nodes of a topology */
	KTSTR_TOPOLOGY_TEXT = 48  /* bytes that hold any formatted topology */
};

/* Zero in any field means 1. */
struct ktstr_topology {
	uint32_t nodes;
	uint32_t llcs; /* in all, a multiple of nodes */
	uint32_t cores_per_llc;
	uint32_t threads_per_core;
};

struct ktstr_shape_cpu {
	uint32_t cpu;
	uint32_t node;
	uint32_t llc;  /* lowest CPU that shares the last-level cache */
	uint32_t core; /* lowest CPU that shares the core */
};

struct ktstr_shape {
	uint32_t nr_cpus; /* online */
	uint32_t nr_nodes;
	struct ktstr_shape_cpu cpus[KTSTR_TOPOLOGY_MAX_CPUS];
	uint8_t distance[KTSTR_TOPOLOGY_MAX_NODES][KTSTR_TOPOLOGY_MAX_NODES];
};

/**
 * ktstr_topology_parse() - read "1n2l4c2t".
 * @text:	all four parts, in this order, each 1 or more
 * @ret_topology: written on success
 * @err:	filled on failure; may be NULL
 *
 * Return: 0, -EINVAL (not of this form), or as ktstr_topology_check().
 */
KTSTR_API int ktstr_topology_parse(const char *text, struct ktstr_topology *ret_topology,
				   struct ktstr_error *err) KTSTR_MUST_CHECK;

/**
 * ktstr_topology_check() - refuse shapes that no VM can have, with the reason.
 * @topology:	zero fields count as 1
 * @err:	filled on failure; may be NULL
 *
 * Return: 0, -EINVAL (LLCs not a multiple of nodes), -ERANGE (more than
 * KTSTR_TOPOLOGY_MAX_CPUS CPUs or KTSTR_TOPOLOGY_MAX_NODES nodes).
 */
KTSTR_API int ktstr_topology_check(const struct ktstr_topology *topology,
				   struct ktstr_error *err) KTSTR_MUST_CHECK;

/**
 * ktstr_topology_format() - write "1n2l4c2t".
 * @topology:	zero fields count as 1
 * @buf:	at least KTSTR_TOPOLOGY_TEXT bytes
 * @size:	bytes in @buf
 *
 * Return: @buf.
 */
KTSTR_API const char *ktstr_topology_format(const struct ktstr_topology *topology, char *buf,
					    size_t size);

/**
 * ktstr_topology_nr_cpus() - CPUs in all.
 * @topology:	zero fields count as 1
 *
 * Return: the product; UINT32_MAX if it does not fit.
 */
KTSTR_API uint32_t ktstr_topology_nr_cpus(const struct ktstr_topology *topology);

/**
 * ktstr_shape_read() - read the topology this machine's kernel shows.
 * @sysfs:	where sysfs is mounted, normally "/sys"
 * @ret_shape:	written on success
 * @err:	filled on failure; may be NULL
 *
 * A kernel without NUMA shows one node 0.  A CPU without any cache entry is its own LLC.
 *
 * Return: 0, -ENOENT (files missing), -EINVAL (file not understood), -ERANGE (too many CPUs).
 */
KTSTR_API int ktstr_shape_read(const char *sysfs, struct ktstr_shape *ret_shape,
			       struct ktstr_error *err) KTSTR_MUST_CHECK;

/**
 * ktstr_shape_matches() - is this machine the topology that was asked for?
 * @shape:	what the kernel shows
 * @topology:	what was asked for
 * @err:	names the first difference and both shapes; may be NULL
 *
 * CPUs must be numbered in order: thread within core, core within LLC, LLC within node.
 *
 * Return: 0, or -EXDEV if they differ.
 */
KTSTR_API int ktstr_shape_matches(const struct ktstr_shape *shape,
				  const struct ktstr_topology *topology,
				  struct ktstr_error *err) KTSTR_MUST_CHECK;

/**
 * ktstr_shape_format() - one line a person can read, such as
 * "8 CPUs; LLC 0-3 | 4-7; cores 0-1 2-3 4-5 6-7; nodes 0-3 | 4-7; distances 10 20 / 20 10".
 * @shape:	what to write
 * @buf:	receives the text, cut at @size like snprintf()
 * @size:	bytes in @buf; 1024 is plenty for shapes up to 64 CPUs
 */
KTSTR_API void ktstr_shape_format(const struct ktstr_shape *shape, char *buf, size_t size);

#endif
