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

/* The multiple of @step_ns that follows the next one: at least one step away, at most two. */
uint64_t settle_target_ns(uint64_t now_ns, uint64_t step_ns);

/* Sleeps until then, by CLOCK_MONOTONIC.  The caller must run at real-time priority, as others may
 * be woken some time after it (timer slack). */
void settle(uint64_t step_ns);

#endif
