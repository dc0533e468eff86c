/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * crew.h - a few threads that share a list of pieces of work, and how many there should be.
 *
 * Each member has a context of its own, so that nothing is shared but the list.  Pieces are taken
 * in order.  The caller's thread is the first member; the others block all signals and have ended
 * when crew_run() returns.
 */
#ifndef KTSTR_CTPROF_CREW_H
#define KTSTR_CTPROF_CREW_H

#include <stddef.h>

#include <ktstr/api.h>

enum { CREW_MAX = 64 };

struct crew {
	/* Return: 0, or -errno: no member starts another piece. */
	int (*work)(void *member, size_t piece);
	void *members[CREW_MAX];
	unsigned int nr_members;
	size_t nr_pieces;
};

/*
 * Members that cannot be started are done without.  Return: 0, or the -errno of the first member
 * that failed.
 */
int crew_run(const struct crew *crew) KTSTR_MUST_CHECK;

/*
 * A share of the CPUs that are idle: of @online ones, of which @running are in use, the calling
 * thread included, at most half and one, at least one.
 */
unsigned int crew_share(unsigned int online, unsigned int running);
/* The same for this machine and thread at this moment. */
unsigned int crew_size(void);

#endif
