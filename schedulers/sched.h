/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* sched.h - what ktstr-sched's BPF half and its loader tell each other. */
#ifndef KTSTR_SCHEDULERS_SCHED_H
#define KTSTR_SCHEDULERS_SCHED_H

#include "kernel.h"

enum {
	SCHED_CPUS = 256,
	SCHED_LLCS = 64,
	SCHED_NODES = 8,
	SCHED_WORDS = SCHED_CPUS / 64,
	SCHED_GROUPS = 256, /* cgroups; more than that count for their parents */
	SCHED_REASON_BYTES = 128,
	SCHED_MESSAGE_BYTES = 1024,
	SCHED_DUMP_BYTES = 32768
};

/* Ways to break it on purpose. */
enum sched_fault {
#define FAULT(id, ...) FAULT_##id,
#include "faults.def"
	FAULTS
};

/* Set before the load and constant afterwards: the verifier removes what is switched off. */
struct sched_options {
	__u64 slice_ns;
	__u64 faults[FAULTS]; /* the number given, 0: off */
};

struct sched_cpus {
	__u64 words[SCHED_WORDS];
};

struct sched_llc {
	struct sched_cpus cpus;
	__u32 node;
	__u32 first;		  /* CPU */
	__u32 nr_near;		  /* of others, those of the same node, which come first */
	__u32 others[SCHED_LLCS]; /* the nearest first */
};

/* LLCs and nodes are numbered from 0 without gaps.  A CPU that was offline at the load counts for
 * LLC 0. */
struct sched_machine {
	/* The highest CPU + 1, words of struct sched_cpus up to it, threads of a core. */
	__u32 nr_cpus, nr_words, nr_llcs, nr_nodes, nr_threads;
	__u32 llc_of[SCHED_CPUS];
	__u32 core_of[SCHED_CPUS]; /* its first CPU */
	struct sched_llc llcs[SCHED_LLCS];
	struct sched_cpus nodes[SCHED_NODES], all, first_threads;
};

/* Counted since the load. */
struct sched_counters {
	__u64 direct;	 /* put on an idle CPU at once */
	__u64 queued;	 /* through a queue */
	__u64 kicked;	 /* idle CPUs woken for a queued task */
	__u64 preempted; /* CPUs told to take a queued task at once */
	__u64 stolen;	 /* tasks taken from the queue of another LLC */
	__u64 parked;	 /* tasks that had to wait for their cgroup's quota */
	__u64 struck;	 /* times that a fault made a difference */
};

/* Sent once, when the kernel lets go of the scheduler. */
struct sched_exit {
	__u64 kind; /* enum scx_exit_kind */
	__s64 code;
	char reason[SCHED_REASON_BYTES];
	char message[SCHED_MESSAGE_BYTES];
	char dump[SCHED_DUMP_BYTES];
};

#endif
