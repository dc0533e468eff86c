/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * poweroff.h - the end of the guest.
 *
 * The isa-debug-exit device (QEMU: iobase 0xf4) ends QEMU at once with exit code
 * (value << 1) | 1; without it the kernel powers off, which takes longer and exits 0.
 */
#ifndef KTSTR_GUEST_POWEROFF_H
#define KTSTR_GUEST_POWEROFF_H

enum { POWEROFF_PORT = 0xf4 };

/* @value: PROTOCOL_END_FINISHED or PROTOCOL_END_GAVE_UP. */
__attribute__((noreturn)) void poweroff(int value);

#endif
