/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * stolen.h - time that the host took from the CPUs of a live guest.
 *
 * The vCPU threads of QEMU ("CPU 3/KVM", "ALL CPUs/TCG") are asked now and then for the time they wanted to
 * run and did not (run delay, /proc/PID/task/TID/schedstat, Documentation/scheduler/sched-stats.rst of
 * Linux).  What is found between two samples is that of the thread that suffered most.
 *
 * Host and guest tell their time apart by a constant, as neither clock stops: the smallest distance seen
 * between the time in a record and the moment it was heard.
 */
#ifndef KTSTR_RUN_STOLEN_H
#define KTSTR_RUN_STOLEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "check/judge.h"

#define STOLEN_EVERY_NS MSECS(50)

enum {
	STOLEN_THREADS = 512,
	STOLEN_SAMPLES = 1 << 16 /* more are not taken: what follows was not measured */
};

struct stolen_thread {
	pid_t tid;
	uint64_t delay_ns;
	bool seen; /* in the sample at hand */
};

struct stolen {
	char *tasks; /* "/proc/7/task" */
	struct stolen_thread threads[STOLEN_THREADS];
	size_t nr_threads;
	struct judge_disturbance *samples; /* in the host's time */
	size_t nr, size;
	uint64_t next_ns;
	uint64_t sampled_ns; /* 0: no sample to begin from */
	bool has_offset;
	int64_t offset_ns; /* guest's time less the host's */
};

/* @proc: "/proc".  Return: 0, -ENOMEM. */
int stolen_init(struct stolen *s, const char *proc, pid_t pid) KTSTR_MUST_CHECK;
void stolen_deinit(struct stolen *s);

/* Takes a sample now, CLOCK_MONOTONIC, unless there was one STOLEN_EVERY_NS ago; what cannot be read leaves
 * a hole. */
void stolen_sample(struct stolen *s, uint64_t now_ns);
/* A record of @guest_ns was heard. */
void stolen_heard(struct stolen *s, uint64_t guest_ns, uint64_t now_ns);
/* The samples in the guest's time, owned by @s; no sample can be taken after that.
 * Return: how many; 0 if nothing was measured. */
size_t stolen_conclude(struct stolen *s, const struct judge_disturbance **ret_disturbances);

#endif
