/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * stop.h - the guest stops its own machine, at one instruction.
 *
 * QEMU's pvpanic device pauses the machine or lets it run on, as QEMU was told: the guest does the
 * same either way.  A machine without the device ignores the write.
 */
#ifndef KTSTR_GUEST_STOP_H
#define KTSTR_GUEST_STOP_H

#include <ktstr/error.h>

/* Asks for access to the port.  Return: 0 or -errno. */
int stop_init(struct ktstr_error *err) KTSTR_MUST_CHECK;
/* After stop_init(). */
void stop_machine(void);

/* The same, so that nothing shows whether the machine was stopped.  While QEMU stops it, the clock may
 * or may not jump to the next timer, as if all CPUs were idle.  So the instruction after the write is
 * an endless loop of that one instruction, which a timer's signal ends STOP_SPIN_NS later: jump or
 * not, the timer finds the CPU at the same place at the same time.  Return: 0 or -errno; then the
 * machine was not stopped. */
int stop_machine_exactly(struct ktstr_error *err) KTSTR_MUST_CHECK;

enum { STOP_SPIN_NS = 1000000 };

#endif
