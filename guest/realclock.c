// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "guest/realclock.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"

bool realclock_is_off(uint64_t now_ns, uint64_t started_ns)
{
	return now_ns < started_ns || now_ns - started_ns > REALCLOCK_BOOT_NS;
}

int realclock_mend(uint64_t started_ns, struct ktstr_error *err)
{
	const struct timespec when = { (time_t)(started_ns / NSEC_PER_SEC),
				       (long)(started_ns % NSEC_PER_SEC) };

	if (!started_ns || !realclock_is_off(clock_real_ns(), started_ns))
		return 0;
	if (clock_settime(CLOCK_REALTIME, &when) < 0)
		return ktstr_error_set(err, -errno, "set the clock: %s", strerror(errno));
	return 0;
}
