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

#endif
