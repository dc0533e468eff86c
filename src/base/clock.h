/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* clock.h - the clocks in use, as nanoseconds. */
#ifndef KTSTR_BASE_CLOCK_H
#define KTSTR_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NSEC_PER_SEC  1000000000ull
#define NSEC_PER_MSEC 1000000ull
#define NSEC_PER_USEC 1000ull

static inline uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

static inline uint64_t clock_mono_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static inline uint64_t clock_real_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

/* The sum, or UINT64_MAX, which as a point in time is never. */
static inline uint64_t clock_add_ns(uint64_t ns, uint64_t more_ns)
{
	return more_ns > UINT64_MAX - ns ? UINT64_MAX : ns + more_ns;
}

#endif
