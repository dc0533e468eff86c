// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "guest/disturb.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "run/protocol.h"

enum { STACK_BYTES = 64 << 10 };

struct disturber {
	pthread_t thread;
	struct prng prng;
	unsigned int nr_cpus;
	atomic_bool over;
};

struct disturb_step disturb_next(struct prng *p, unsigned int nr_cpus)
{
	const uint64_t pauses = DISTURB_PAUSE_MAX_NS - DISTURB_PAUSE_MIN_NS + 1;
	struct disturb_step step;

	step.pause_ns = DISTURB_PAUSE_MIN_NS + prng_below(p, pauses);
	step.cpu = (unsigned int)prng_below(p, nr_cpus);
	step.work_ns = prng_below(p, DISTURB_WORK_NS + 1);
	return step;
}

static void do_step(const struct disturb_step *step)
{
	uint64_t end;
	cpu_set_t set;

	clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){ .tv_nsec = (long)step->pause_ns },
			NULL);
	/* A CPU that the test took away is left alone. */
	CPU_ZERO(&set);
	CPU_SET(step->cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		return;
	end = clock_mono_ns() + step->work_ns;
	while (clock_mono_ns() < end)
		continue;
}

static void *disturb(void *arg)
{
	struct disturber *d = arg;

	while (!atomic_load(&d->over)) {
		struct disturb_step step = disturb_next(&d->prng, d->nr_cpus);

		do_step(&step);
	}
	return NULL;
}

static int start_thread(struct disturber *d)
{
	const struct sched_param param = { .sched_priority = DISTURB_PRIORITY };
	pthread_attr_t attr;
	int r = pthread_attr_init(&attr);

	if (r != 0)
		return -r;
	r = pthread_attr_setstacksize(&attr, STACK_BYTES);
	if (r == 0)
		r = pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	if (r == 0)
		r = pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
	if (r == 0)
		r = pthread_attr_setschedparam(&attr, &param);
	if (r == 0)
		r = pthread_create(&d->thread, &attr, disturb, d);
	pthread_attr_destroy(&attr);
	return -r;
}

int disturber_start(uint64_t seed, unsigned int nr_cpus, struct disturber **ret_disturber,
		    struct ktstr_error *err)
{
	struct disturber *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return ktstr_error_nomem(err);
	prng_init(&d->prng, seed, CHANCE_DISTURBER);
	d->nr_cpus = nr_cpus;
	r = start_thread(d);
	if (r < 0) {
		free(d);
		return ktstr_error_set(err, r, "start the disturber: %s", strerror(-r));
	}
	*ret_disturber = d;
	return 0;
}

void disturber_stop(struct disturber *d)
{
	if (!d)
		return;
	atomic_store(&d->over, true);
	pthread_join(d->thread, NULL);
	free(d);
}
