// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Preloaded into QEMU for exact runs; what for says vm/exact_engine.h. */
#include <sys/time.h>

enum { YEAR_2026 = 1767225600 };

__attribute__((visibility("default"))) int gettimeofday(struct timeval *tv, void *tz)
{
	static long calls;

	(void)tz;
	tv->tv_sec = YEAR_2026 + __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
	tv->tv_usec = 0;
	return 0;
}
