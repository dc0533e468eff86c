/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * ready.h - waiting until a program says that it is ready.
 *
 * It says so by making the file /tmp/ktstr-worker-ready-PID.  A marker older than the start of the
 * process was left by an earlier one of the same number and does not count.
 */
#ifndef KTSTR_WORK_READY_H
#define KTSTR_WORK_READY_H

#include <stdint.h>

#include "work/proc.h"
#include <ktstr/error.h>
#include <ktstr/payload.h>

#define READY_MARKER_FORMAT "/tmp/ktstr-worker-ready-%d"

enum { READY_POLL_MS = 10 };

/*
 * Looks every READY_POLL_MS; first whether @proc has ended, then for the marker, then once more
 * whether it has ended.  A process that ended is collected.
 * Return: 0, -ETIMEDOUT (it still runs), -ECHILD (it ended; @err says how, with the last line of
 * its stderr), -ESRCH (collected before).
 */
int ready_wait(struct proc *proc, const struct ktstr_payload *payload, uint64_t timeout_ns,
	       struct ktstr_error *err) KTSTR_MUST_CHECK;
/* Removes the marker of a process that has ended, if it made one. */
void ready_forget(pid_t pid);

#endif
