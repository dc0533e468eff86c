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

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
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

struct crew_member {
	struct crew_shift *shift;
	unsigned int index;
	int result;
	pthread_t thread;
};

/* Work under way. */
struct crew_shift {
	const struct crew *crew;
	atomic_size_t next;
	atomic_bool stop;
	struct crew_member members[CREW_MAX];
	unsigned int started; /* members, the caller's thread included */
};

/*
 * The same in two steps, for a caller who has something else to do meanwhile: up to @helpers of the
 * members after the first begin now; crew_end() works on what they left, then waits for them.  Both
 * @shift and @crew must stay where they are until then.
 */
void crew_begin(struct crew_shift *shift, const struct crew *crew, unsigned int helpers);
/* Return: as crew_run(). */
int crew_end(struct crew_shift *shift) KTSTR_MUST_CHECK;
/* Instead of crew_end(): waits for pieces that were begun; no other is. */
void crew_abandon(struct crew_shift *shift);

/*
 * A share of the CPUs that are idle: of @online ones, of which @running are in use, the calling
 * thread included, at most half and one, at least one.
 */
unsigned int crew_share(unsigned int online, unsigned int running);
/* This machine at this moment. */
struct crew_machine {
	unsigned int size;    /* crew_share() for the calling thread */
	unsigned int threads; /* that it has */
};

/* Return: 0; -errno: it cannot be told. */
int crew_look(struct crew_machine *ret_machine) KTSTR_MUST_CHECK;
/* Its size alone; 1 if unknown. */
unsigned int crew_size(void);

#endif
