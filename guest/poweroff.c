// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "guest/poweroff.h"

#include <sys/io.h>
#include <sys/reboot.h>
#include <unistd.h>

void poweroff(int value)
{
	if (ioperm(POWEROFF_PORT, 1, 1) == 0)
		outb((unsigned char)value, POWEROFF_PORT);
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}
