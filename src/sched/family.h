/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * family.h - the processes that came from a loader, also those that left its group.
 *
 * A loader gets a variable in its environment that only it and what it starts have: a process that
 * calls setsid(2) and forks twice keeps it.  One that throws its environment away, and leaves the
 * group, is not found.
 */
#ifndef KTSTR_SCHED_FAMILY_H
#define KTSTR_SCHED_FAMILY_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/strbuf.h"

enum {
	FAMILY_MAX = 64,
	FAMILY_ENVIRON_BYTES = 65536,
	FAMILY_MARK_BYTES = 48,
	FAMILY_NAMED = 8,
	FAMILY_ROUNDS = 16
};

struct family {
	char mark[FAMILY_MARK_BYTES]; /* "KTSTR_LOADER=12-1" */
	pid_t group;
};

struct family_members {
	pid_t pids[FAMILY_MAX];
	size_t nr; /* at most FAMILY_MAX; more than that are found by looking again */
};

/* Those that live; zombies do not count. */
void family_find(const struct family *family, struct family_members *ret_members);
/* "12 (sleep), 13 (cat) and 4 more" */
void family_describe(const struct family_members *members, struct strbuf *out);
/* SIGKILL until none is left, FAMILY_ROUNDS times at most.  Each is taken out of the hands of the
 * scheduler first, or one that runs nothing would keep it from dying. */
void family_kill(const struct family *family);
/* Threads of nice value @from get @to; those that chose another keep it. */
void family_renice(const struct family *family, int from, int to);
/* All threads of all members to SCHED_FIFO. */
void family_rescue(const struct family *family);

#endif
