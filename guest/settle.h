/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * settle.h - wait until every CPU has been idle, and go on at a known time.
 *
 * In exact mode the guest's clock counts instructions.  What made two machines differ by a few of
 * them (one was restored, the other ran through; a number of another text was read) is gone once all
 * CPUs were idle and the next thing that happens is a timer at an absolute time.  Idling costs no
 * wall time there.  The machine must be idle before it stops itself as well: templates stopped while
 * another CPU was at work came in two kinds, a few hundred instructions apart ever after.
 *
 * The machine says that it is exact by the word SETTLE_WORD on the kernel's command line, which a
 * template, its clones and a cold boot share; the job, which must say the same, comes later.
 */
#ifndef KTSTR_GUEST_SETTLE_H
#define KTSTR_GUEST_SETTLE_H

#include <stdbool.h>
#include <stdint.h>

#include <ktstr/error.h>

#define SETTLE_WORD "ktstr.exact=1"

/* Is the word on this command line? */
bool settle_is_asked(const char *cmdline);

/* Half a step and SETTLE_PHASE_NS behind the next multiple of @step_ns: the kernel's own timers like
 * round times (seconds, ticks of 4 or 10 or 1 ms), and whoever wakes should be alone. */
#define SETTLE_PHASE_NS 1700000
uint64_t settle_target_ns(uint64_t now_ns, uint64_t step_ns);

/* Sleeps until that time of CLOCK_MONOTONIC.  The caller must run at real-time priority, as others
 * may be woken some time after it (timer slack). */
void settle_until(uint64_t target_ns);
/* The same until settle_target_ns() of now. */
void settle(uint64_t step_ns);

#endif
