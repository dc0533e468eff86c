/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* sched.h - what ktstr-sched's BPF half and its loader tell each other. */
#ifndef KTSTR_SCHEDULERS_SCHED_H
#define KTSTR_SCHEDULERS_SCHED_H

#include "kernel.h"

enum {
	SCHED_CPUS = 4096,
	SCHED_REASON_BYTES = 128,
	SCHED_MESSAGE_BYTES = 1024,
	SCHED_DUMP_BYTES = 32768
};

/* Set before the load and constant afterwards: the verifier removes what is switched off. */
struct sched_options {
	__u64 slice_ns;
	/* Faults, put in on purpose; 0: off. */
	__u64 drop_every; /* forget every Nth task of a program that is queued */
};

/* Counted since the load. */
struct sched_counters {
	__u64 direct;  /* put on an idle CPU at once */
	__u64 queued;  /* through the shared queue */
	__u64 kicked;  /* idle CPUs woken for a queued task */
	__u64 dropped; /* by the fault */
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
