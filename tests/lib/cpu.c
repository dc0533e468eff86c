// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "cpu.h"

#include <sched.h>

#include <ktstr/test.h>

int cpu_bind(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((unsigned int)cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

uint64_t cpu_clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return SECS(ts.tv_sec) + (uint64_t)ts.tv_nsec;
}
