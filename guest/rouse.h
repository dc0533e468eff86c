/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * rouse.h - wake every CPU once, each while all others are idle.
 *
 * A machine that was paused and goes on carries, for each of its CPUs, a request of QEMU to leave the
 * emulation once; it is served when that CPU first wakes, which then lets the others go first.  In a
 * machine that ran through there is none.  On a CPU that wakes alone that makes no difference, and
 * afterwards both machines are the same.
 */
#ifndef KTSTR_GUEST_ROUSE_H
#define KTSTR_GUEST_ROUSE_H

#include <stdint.h>

#include <ktstr/error.h>

#define ROUSE_GAP_NS 4000000

/* Starts one thread per CPU, 0 to @nr_cpus - 1, that sleeps until @first_ns (CLOCK_MONOTONIC) and
 * CPU * ROUSE_GAP_NS, and then for ever.  Return: 0 or -errno. */
int rouse_start(unsigned int nr_cpus, uint64_t first_ns, struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
