/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* realclock.h - the wall clock of a machine that may have been asleep in a template. */
#ifndef KTSTR_GUEST_REALCLOCK_H
#define KTSTR_GUEST_REALCLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include <ktstr/error.h>

/* A cold boot has the host's time already, and takes less than this since QEMU's start. */
#define REALCLOCK_BOOT_NS (600 * 1000000000ull)

/* Is CLOCK_REALTIME @now_ns wrong, when QEMU was started at @started_ns of the host's clock?
 * Behind that, or further ahead than a boot takes. */
bool realclock_is_off(uint64_t now_ns, uint64_t started_ns);

/* Sets CLOCK_REALTIME to @started_ns if it is off; 0: leaves it.  Return: 0 or -errno. */
int realclock_mend(uint64_t started_ns, struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
