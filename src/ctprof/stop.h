/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * stop.h - one thread of another process held still for a moment.
 *
 * stop_thread() seizes and interrupts it; stop_release() lets it go, with the signal it was about
 * to receive, if any.  A thread that does not stop within STOP_TIMEOUT_MS, or STOP_RUNNABLE_MS if all
 * it lacks is a CPU, stays seized, running, until the calling thread ends: then the kernel lets it go,
 * as it does if we are killed.
 *
 * KTSTR_JEMALLOC_PTRACE_BUSY may be over by the time it is returned, as another capture holds a thread
 * for a moment only; KTSTR_JEMALLOC_PTRACE_REFUSED is said for lack of rights only.
 *
 * Source: ptrace(2), "Attaching and detaching", "Group-stop", "PTRACE_EVENT stops".
 */
#ifndef KTSTR_CTPROF_STOP_H
#define KTSTR_CTPROF_STOP_H

#include "ctprof/jemalloc.h"

enum { STOP_TIMEOUT_MS = 250, STOP_RUNNABLE_MS = 2000 };

struct stop {
	pid_t tid; /* 0: nothing held */
	int signal;
	uint64_t since_ns;
	uint64_t thread_pointer;
};

enum ktstr_jemalloc_tag stop_thread(uint32_t tgid, uint32_t tid, struct stop *ret_stop);
/* Return: how long it was held, nanoseconds. */
uint64_t stop_release(struct stop *stop);

#endif
