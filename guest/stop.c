// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "guest/stop.h"

#include <errno.h>
#include <string.h>
#include <sys/io.h>

#include "run/protocol.h"

int stop_init(struct ktstr_error *err)
{
	if (ioperm(PROTOCOL_STOP_PORT, 1, 1) < 0)
		return ktstr_error_set(err, -errno, "port of pvpanic: %s", strerror(errno));
	return 0;
}

void stop_machine(void)
{
	outb(1, PROTOCOL_STOP_PORT);
}
