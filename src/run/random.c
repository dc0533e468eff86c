// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <time.h>

#include "base/clock.h"
#include "run/body.h"

uint64_t ktstr_seed(const struct ktstr *t)
{
	return t->seed;
}

uint64_t ktstr_random_u64(struct ktstr *t)
{
	return prng_u64(&t->workload);
}

uint64_t ktstr_random_below(struct ktstr *t, uint64_t n)
{
	return prng_below(&t->workload, n);
}

void body_delay(struct ktstr *t)
{
	uint64_t ns;

	if (t->perturb == PERTURB_OFF)
		return;
	ns = prng_below(&t->delays, BODY_DELAY_NS + 1);
	clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){ .tv_nsec = (long)ns }, NULL);
}
