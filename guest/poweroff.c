// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "guest/poweroff.h"

#include <sys/io.h>
#include <sys/reboot.h>
#include <time.h>
#include <unistd.h>

void poweroff(int value)
{
	/* QEMU ends a moment after the write, and the kernel need not say anything about it. */
	if (ioperm(POWEROFF_PORT, 1, 1) == 0) {
		outb((unsigned char)value, POWEROFF_PORT);
		nanosleep(&(struct timespec){ .tv_sec = 2 }, NULL);
	}
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}
