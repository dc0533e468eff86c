/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* change.h - changes to a file system that may never return, made by a thread that may be left behind. */
#ifndef KTSTR_CGROUP_CHANGE_H
#define KTSTR_CGROUP_CHANGE_H

#include <stdint.h>

#include <ktstr/api.h>

enum change_kind { CHANGE_WRITE, CHANGE_MKDIR, CHANGE_RMDIR };

struct change {
	enum change_kind kind;
	const char *path;
	const char *text; /* CHANGE_WRITE: of one write(2); else NULL */
};

struct changer;

/* @timeout_ns: of one change; @stuck_max: threads left behind before nothing more is tried.
 * NULL for lack of memory. */
struct changer *changer_create(uint64_t timeout_ns, unsigned int stuck_max);

/* The thread has the scheduling policy of the caller of the first change, and of the first one after it got
 * stuck.  Return: 0, -errno of the change, -ETIMEDOUT (it has not returned, or too many have not), -ENOMEM,
 * -EAGAIN (no thread). */
int changer_do(struct changer *changer, const struct change *change) KTSTR_MUST_CHECK;

void changer_set_timeout(struct changer *changer, uint64_t timeout_ns);

/* What is stuck is left to end by itself.  NULL is fine. */
void changer_destroy(struct changer *changer);

#endif
