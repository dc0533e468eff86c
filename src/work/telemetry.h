/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * telemetry.h - the memory that a row of workers shares with the one who started it.
 *
 * Each field has one writer.  Single words are written and read whole.  What belongs together
 * (struct work_peak, struct work_allowed) is written in turns to two copies, with the number of the
 * valid one raised last: a reader takes that copy and looks whether the number is still the same.  So
 * a writer that is stopped in the middle keeps nobody waiting.
 */
#ifndef KTSTR_WORK_TELEMETRY_H
#define KTSTR_WORK_TELEMETRY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "work/worker.h"

enum {
	/* Steps of a sixteenth of an octave up to 2^37 ns (137 s), which takes all that is longer. */
	WAKE_STEPS_LOG2 = 4,
	WAKE_STEPS = 1 << WAKE_STEPS_LOG2,
	WAKE_OCTAVES = 37 - WAKE_STEPS_LOG2,
	WAKE_BUCKETS = (WAKE_OCTAVES + 1) * WAKE_STEPS,
	WORK_LINE_BYTES = 64,
	WORK_TROUBLE_BYTES = 96
};

#define WORK_NEVER UINT64_MAX

struct work_peak_copy {
	_Atomic uint64_t ns, at_ns;
	_Atomic uint32_t cpu;
};

struct work_peak {
	_Atomic uint32_t version;
	struct work_peak_copy copies[2];
};

struct work_allowed_copy {
	_Atomic uint64_t cpus[WORK_CPU_WORDS];
	_Atomic uint64_t from_ns;
};

struct work_allowed {
	_Atomic uint32_t version; /* 0: any */
	struct work_allowed_copy copies[2];
};

struct work_slot {
	_Atomic uint64_t iterations, units, migrations;
	_Atomic uint64_t first_ns, last_ns; /* 0: no sign yet */
	_Atomic uint64_t cpus[WORK_CPU_WORDS];
	_Atomic uint64_t outside[WORK_CPU_WORDS];
	_Atomic uint64_t outside_ns;
	struct work_peak gap;  /* at_ns: its begin */
	struct work_peak wake; /* at_ns: its end */
	_Atomic uint32_t wakes[WAKE_BUCKETS];
};

enum work_outcome { OUTCOME_NONE, OUTCOME_FINISHED, OUTCOME_ASKED, OUTCOME_TROUBLE };

struct work_seat {
	_Alignas(WORK_LINE_BYTES) _Atomic int32_t tid;
	_Atomic int32_t pid;
	_Atomic uint32_t outcome;
	_Atomic uint32_t cpu; /* of the last sign */
	/* Since when it wants to run; a time to come: it sleeps until then; WORK_NEVER: it waits, and
	 * whoever wakes it puts the time here. */
	_Atomic uint64_t wants_ns;
	/* What it had used when it ended. */
	_Atomic bool left;
	_Atomic uint64_t cpu_ns, delay_ns;
	char trouble[WORK_TROUBLE_BYTES]; /* written before outcome */
	struct work_allowed allowed;	  /* written by the one who started it */
	struct work_slot slots[WORK_PHASES];
};

struct work_shared {
	_Atomic uint32_t arrived; /* futex: workers that wait at the gate, or never will */
	_Atomic uint32_t gate;	  /* futex: 1 once they may go */
	_Atomic uint32_t gone;	  /* futex: workers that came to an end of their own */
	volatile bool stop;
	_Atomic uint32_t phase;
	_Atomic uint64_t go_ns;
	_Atomic uint64_t phase_begin_ns[WORK_PHASES];
};

/* Which bucket counts @ns, and the longest time that bucket counts. */
uint32_t wake_bucket(uint64_t ns);
uint64_t wake_bucket_end(uint32_t bucket);

/* By the one writer. */
void work_peak_raise(struct work_peak *peak, uint64_t ns, uint64_t at_ns, uint32_t cpu);
void work_allowed_set(struct work_allowed *allowed, const uint64_t cpus[WORK_CPU_WORDS],
		      uint64_t from_ns);

struct work_peak_value {
	uint64_t ns, at_ns;
	uint32_t cpu;
};
struct work_allowed_value {
	uint32_t version;
	uint64_t cpus[WORK_CPU_WORDS], from_ns;
};
/* By anybody.  A writer that writes all the time may win PEAK_TRIES times; then the copy may be torn. */
void work_peak_read(const struct work_peak *peak, struct work_peak_value *ret_value);
void work_allowed_read(const struct work_allowed *allowed, struct work_allowed_value *ret_value);

/* Waits at most @timeout_ns (UINT64_MAX: no limit) while *@word is @seen, among processes.
 * Return: 0, -EAGAIN (it was not), -EINTR, -ETIMEDOUT. */
int work_futex_wait(_Atomic uint32_t *word, uint32_t seen, uint64_t timeout_ns);
void work_futex_wake(_Atomic uint32_t *word, int waiters);

#endif
