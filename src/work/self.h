/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * self.h - what a worker has and does: signs of work, sleeps, waits, wake-ups (worker.h says what
 * these mean), and what the types build on.
 *
 * A type's loop is
 *
 *	while (work_goes_on(self)) {
 *		... units of work, sleeps, waits ...
 *		work_did(self);
 *	}
 *
 * and gives a sign at least once in each turn; work_did() gives none.  Whatever blocks is ended by the
 * stop signal with EINTR; a signal that comes just before it blocks is sent again.
 */
#ifndef KTSTR_WORK_SELF_H
#define KTSTR_WORK_SELF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/prng.h"
#include "work/telemetry.h"
#include <ktstr/scenario.h>

enum {
	SPIN_UNIT = 1024,	 /* rounds of multiplication in a unit of work */
	WORK_EXIT_TROUBLE = 125, /* exit code of a worker that could not do its work */
	WORK_GROUP_MAX = 256
};

struct work_self {
	const struct ktstr_work *work;
	struct work_shared *shared;
	struct work_seat *seats; /* of all of the row */
	struct work_seat *seat;
	uint32_t index, count;	     /* in the row */
	uint32_t member, group_size; /* in its group */
	uint64_t params[KTSTR_WORK_PARAMS];
	uint64_t seed;
	const char *program; /* path */
	void *common;	     /* the group's shared memory; zeroed when it begins */
	struct prng chance;

	/* Private to self.c. */
	struct work_slot *slot;
	struct work_allowed_value allowed;
	uint64_t since_ns, sign_ns, done, spun;
	uint32_t phase, cpu;
	bool troubled, finished;
};

/* What a type is; see types.h for the table. */
struct work_ops {
	bool busy;  /* never sleeps of its own will */
	bool ends;  /* by itself */
	bool mute;  /* tells nothing but its end */
	bool wakes; /* has wake-up latencies */
	bool changes_cpus, changes_policy;
	/* Memory that a group shares: common_bytes and member_bytes for each member. */
	uint32_t common_bytes, member_bytes;
	/* Descriptors of a group, before its members are there; they inherit them.  @first: its first
	 * member.  Return: 0, -errno (then there is nothing to close).  NULL: none. */
	int (*open)(const struct work_self *first);
	void (*close)(const struct work_self *first);
	/* In the worker, before it is let go.  Return: 0, -errno.  NULL: nothing. */
	int (*prepare)(struct work_self *self);
	void (*run)(struct work_self *self);
};

/* Not asked to stop, nothing went wrong, and iterations are left. */
bool work_goes_on(const struct work_self *self);
bool work_is_stopped(const struct work_self *self);
/* One more iteration, or many. */
void work_did(struct work_self *self);
void work_did_many(struct work_self *self, uint64_t iterations);
/* It has come to its end before all iterations, and that is right; not if it was stopped. */
void work_finish(struct work_self *self);
/* What it could not do: "setpriority -20", and why; the worker ends.  The first one counts. */
void work_trouble(struct work_self *self, const char *what, int error);

/* Return: the time. */
uint64_t work_sign(struct work_self *self);
/* The first sign, once it is let go. */
void work_begin(struct work_self *self);

/* @units of work with a sign after each; fewer if it is stopped. */
void work_burn(struct work_self *self, uint64_t units);
/* Units of work until that time has come, but at least one. */
void work_burn_until(struct work_self *self, uint64_t end_ns);
/* One unit of a kind of work that is not counted in work_unit(): counts it, and gives a sign. */
void work_count_unit(struct work_self *self);
/* One unit of work and nothing else; @x and the result keep it from being optimised away. */
uint64_t work_unit(uint64_t x);

/* Puts the CPUs that work_row_allow() told into @cpus.  Return: false, and @cpus is left as it is, if
 * it told none yet. */
bool work_allowed(struct work_self *self, uint64_t cpus[WORK_CPU_WORDS]);

/* Sleeps until that time on CLOCK_MONOTONIC, or until it is stopped; not at all if it has come. */
void work_sleep_until(struct work_self *self, uint64_t due_ns);

/* Around a wait for another worker, which calls work_note_wake() right before it wakes this one. */
void work_wait_begin(struct work_self *self);
void work_wait_end(struct work_self *self);
/* @member: of the same group. */
void work_note_wake(struct work_self *self, uint32_t member);

/* A futex that one worker waits for and others ring; each wait_bell() takes all rings so far. */
struct work_bell {
	_Atomic uint32_t rings;
	uint32_t taken; /* of the one who waits */
};
/* Of @member, who waits for @bell. */
void work_ring(struct work_self *self, struct work_bell *bell, uint32_t member);
/* Waits for a ring unless there is one already.  Return: whether there was one (else: stopped). */
bool work_wait_bell(struct work_self *self, struct work_bell *bell);

/* A word that many wait for at once: work_note_wake() for each, then work_call_all(). */
void work_call_all(_Atomic uint32_t *word);
/* Waits while *@word is @seen.  Return: as work_wait_bell(). */
bool work_wait_word(struct work_self *self, _Atomic uint32_t *word, uint32_t seen);

/* A lock that goes round in the order of asking. */
struct work_lock {
	_Atomic uint32_t next, serving;
	_Atomic uint64_t asked[WORK_GROUP_MAX]; /* ticket and member, by ticket modulo its size */
	struct work_bell bells[WORK_GROUP_MAX];
};
/* Return: whether it has it (else: stopped). */
bool work_lock(struct work_self *self, struct work_lock *lock);
void work_unlock(struct work_self *self, struct work_lock *lock);

#endif
