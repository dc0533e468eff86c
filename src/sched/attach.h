/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * attach.h - one sched_ext scheduler under test: its loader started, attached, watched, ended.
 *
 * Life cycle:
 *  1. scheduler_start() executes the loader (SCHED_OTHER, all CPUs, its own process group, output read
 *     all the time; nice -10 until it is attached, then 0, unless it chose another) and waits until sched_ext says that it is attached: the state is
 *     "enabled", and was not, or not as often, before.
 *  2. scheduler_poll() tells whether it is still there; scheduler_fd() says when asking is worth while.
 *  3. scheduler_stop() ends it: SIGTERM, SIGINT, SIGKILL to the group, what it left behind, and if the
 *     kernel still does not let go, SysRq-S.  Returns when nothing is attached.
 *  4. scheduler_restart() is the two together.
 *  5. scheduler_destroy() stops what still runs.
 *
 * What a scheduler does wrong is no error of these functions: it is in the story (story.h).
 * The loader dies with the thread that started it; start it from one that lives as long.
 * One thread per struct scheduler; at most one is attached at a time.
 */
#ifndef KTSTR_SCHED_ATTACH_H
#define KTSTR_SCHED_ATTACH_H

#include <stdbool.h>
#include <stdint.h>

#include <ktstr/error.h>
#include <ktstr/scenario.h>

#include "sched/state.h"
#include "sched/story.h"

#define SCHEDULER_ATTACH_MAX_NS (600ull * 1000000000) /* unless the scheduler says otherwise */

struct scheduler;

/* Strings and the scheduler are borrowed for the life of the struct scheduler. */
struct scheduler_opts {
	const struct ktstr_scheduler *scheduler; /* binary: its path here */
	const char *const *env;			 /* the whole of it; NULL: the caller's */
	const char *sysfs;			 /* "/sys" */
	const char *kmsg;  /* "/dev/kmsg"; NULL: the kernel's log is not read */
	const char *sysrq; /* "/proc/sysrq-trigger"; NULL: the last resort is not used */
};

/*
 * Waits at most attach_timeout_ns (CLOCK_MONOTONIC), by default 60 s for each CPU that is online.  @ret_scheduler is written in both good cases.
 * Return: 1 attached; 0 not attached, and nothing of it runs: see scheduler_story(); -ENOTSUP: the
 * kernel has no sched_ext (a need that is not met); -errno: the harness or the machine failed.
 */
int scheduler_start(const struct scheduler_opts *opts, struct scheduler **ret_scheduler,
		    struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Readable when something happened to loader or kernel log; scheduler_poll() takes it away.  It may
 * miss an end that only sysfs tells, so ask now and then as well.  Stays the same over a restart. */
int scheduler_fd(const struct scheduler *scheduler);

/* Return: 1 attached (also while a loader that the kernel asked to restart, after CPU hotplug, is at it),
 * 0 not any more: see scheduler_story(); nothing of it runs then. */
int scheduler_poll(struct scheduler *scheduler);

/* Return: 0 nothing is attached any more (also if nothing was); -ETIMEDOUT: the kernel does not let go;
 * -errno.  The story's word is "detached" if it was there until now and went when told to. */
int scheduler_stop(struct scheduler *scheduler, struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Stop, then start with a new story.  Return: as scheduler_start(), -ETIMEDOUT. */
int scheduler_restart(struct scheduler *scheduler, struct ktstr_error *err) KTSTR_MUST_CHECK;

/* What is known now; owned by @scheduler, until the next call but this. */
const struct story *scheduler_story(const struct scheduler *scheduler);

/* Of the attached scheduler; after its end the last that was read by scheduler_poll() or
 * scheduler_stop().  Not known before it was attached. */
void scheduler_events(struct scheduler *scheduler, struct sched_events *ret_events);

/* Of the loader; 0: none runs. */
pid_t scheduler_pid(const struct scheduler *scheduler);

/* Stops it first; NULL is fine. */
void scheduler_destroy(struct scheduler *scheduler);

#endif
