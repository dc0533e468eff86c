/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * taskstats.h - delay accounting of threads, asked of the kernel by generic netlink.
 *
 * Needs CAP_NET_ADMIN and CONFIG_TASKSTATS.  Besides delays a reply holds what the thread's
 * schedstat file says, so that file need not be read.
 *
 * Zeros are not believed where nobody counted:
 * - a thread has no delay counters at all if it was born while kernel.task_delayacct was off.  If
 *   that is on now, but not on the kernel's command line, threads whose counters are all zero may
 *   be such ones, and have none;
 * - irq is absent unless it is nonzero or the kernel has /proc/pressure/irq, as both need
 *   CONFIG_IRQ_TIME_ACCOUNTING;
 * - the shortest delay of none is absent.
 * Version 15 of the structure, in Linux 6.14 and 6.15 only, has fields inserted in its middle and
 * is not read.  Fields that an older version lacks are absent.
 *
 * Source: include/uapi/linux/taskstats.h (version 17), kernel/delayacct.c,
 * Documentation/accounting/taskstats.rst.
 */
#ifndef KTSTR_CTPROF_TASKSTATS_H
#define KTSTR_CTPROF_TASKSTATS_H

#include <stddef.h>

#include "ctprof/snapshot.h"

enum { TASKSTATS_BATCH = 64 };

/* What is known of a kernel's delay accounting. */
struct taskstats_kernel {
	bool delays;	 /* kernel.task_delayacct is on */
	bool since_boot; /* and was when every thread was born */
	bool irq;
};

struct taskstats_kernel taskstats_kernel(void);

/* Is delay accounting switched on by these words of a kernel's command line? */
bool taskstats_is_asked_for(const char *command_line);

/*
 * Sets run and wait time, timeslices and delays of @t from a struct taskstats of @len bytes.
 * Return: 0; -ENODATA: set, but for delays that nobody counted; -EINVAL: nothing set.
 */
int taskstats_parse(const void *bytes, size_t len, const struct taskstats_kernel *kernel,
		    struct ktstr_ctprof_thread *t);

struct taskstats_socket;

/*
 * Return: 0, -ENOMEM, -ENOENT (the kernel has no taskstats), -EPERM, -EINVAL (its structure is not
 * understood), other -errno.  The caller frees @ret with taskstats_close().
 */
int taskstats_open(const struct taskstats_kernel *kernel,
		   struct taskstats_socket **ret) KTSTR_MUST_CHECK;
void taskstats_close(struct taskstats_socket *ts);

static inline void taskstats_closep(struct taskstats_socket **ts)
{
	taskstats_close(*ts);
}

/*
 * Asks about @nr threads, at most TASKSTATS_BATCH, and hands each answer to @take with the index
 * of its thread: @result 0 and a structure, or -errno.  An index without an answer is not called.
 * Return: 0, or -errno of the socket.
 */
int taskstats_query(struct taskstats_socket *ts, const uint32_t *tids, size_t nr,
		    void (*take)(void *arg, size_t index, int result, const void *bytes,
				 size_t len),
		    void *arg) KTSTR_MUST_CHECK;

#endif
