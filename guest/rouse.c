// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "guest/rouse.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "guest/settle.h"

enum { STACK_BYTES = 64 << 10, PRIORITY = 98 };

static void *wake(void *arg)
{
	settle_until((uint64_t)(uintptr_t)arg);
	/* Its end would wake others. */
	for (;;)
		pause();
	return NULL;
}

/* Real-time, as others may be woken late (timer slack). */
static int set_up(pthread_attr_t *attr, unsigned int cpu)
{
	const struct sched_param param = { .sched_priority = PRIORITY };
	cpu_set_t set;
	int r;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	r = pthread_attr_setstacksize(attr, STACK_BYTES);
	if (r == 0)
		r = pthread_attr_setdetachstate(attr, PTHREAD_CREATE_DETACHED);
	if (r == 0)
		r = pthread_attr_setinheritsched(attr, PTHREAD_EXPLICIT_SCHED);
	if (r == 0)
		r = pthread_attr_setschedpolicy(attr, SCHED_FIFO);
	if (r == 0)
		r = pthread_attr_setschedparam(attr, &param);
	return r == 0 ? pthread_attr_setaffinity_np(attr, sizeof(set), &set) : r;
}

static int start_one(unsigned int cpu, uint64_t when_ns)
{
	pthread_attr_t attr;
	pthread_t thread;
	int r = pthread_attr_init(&attr);

	if (r != 0)
		return -r;
	r = set_up(&attr, cpu);
	if (r == 0)
		r = pthread_create(&thread, &attr, wake, (void *)(uintptr_t)when_ns);
	pthread_attr_destroy(&attr);
	return -r;
}

int rouse_start(unsigned int nr_cpus, uint64_t first_ns, struct ktstr_error *err)
{
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		int r = start_one(cpu, first_ns + (uint64_t)cpu * ROUSE_GAP_NS);

		if (r < 0)
			return ktstr_error_set(err, r, "rouse CPU %u: %s", cpu, strerror(-r));
	}
	return 0;
}
