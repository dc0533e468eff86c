// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <sched.h>

#include "work/types.h"

enum { UNITS };

static uint32_t count(const uint64_t cpus[WORK_CPU_WORDS])
{
	uint32_t nr = 0;

	for (int i = 0; i < WORK_CPU_WORDS; i++)
		nr += (uint32_t)__builtin_popcountll(cpus[i]);
	return nr;
}

static void allowed_now(uint64_t cpus[WORK_CPU_WORDS])
{
	cpu_set_t set;

	CPU_ZERO(&set);
	sched_getaffinity(0, sizeof(set), &set);
	for (int i = 0; i < WORK_CPU_WORDS * 64; i++) {
		if (i % 64 == 0)
			cpus[i / 64] = 0;
		cpus[i / 64] |= (uint64_t)(CPU_ISSET(i, &set) != 0) << i % 64;
	}
}

/* As far as its cpuset goes. */
static void allow_all(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);

	for (int i = 0; i < CPU_SETSIZE; i++)
		CPU_SET(i, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static uint32_t choose(struct work_self *self, const uint64_t cpus[WORK_CPU_WORDS])
{
	uint32_t left = (uint32_t)prng_below(&self->chance, count(cpus)), cpu = 0;

	while (!(cpus[cpu / 64] >> cpu % 64 & 1) || left-- > 0)
		cpu++;
	return cpu;
}

static void bind(struct work_self *self, uint64_t cpus[WORK_CPU_WORDS])
{
	uint32_t cpu;
	cpu_set_t set;

	if (work_allowed(self, cpus) && count(cpus) == 0)
		allowed_now(cpus);
	cpu = choose(self, cpus);
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) == 0)
		return;
	if (errno != EINVAL) {
		work_trouble(self, "sched_setaffinity", errno);
		return;
	}
	/* The cpuset has changed, or a CPU has gone. */
	allow_all();
	allowed_now(cpus);
}

static void run(struct work_self *self)
{
	uint64_t cpus[WORK_CPU_WORDS];

	allowed_now(cpus);
	while (work_goes_on(self)) {
		bind(self, cpus);
		work_burn(self, self->params[UNITS]);
		work_did(self);
	}
}

const struct work_ops work_ops_affinity_churn = { .busy = true, .changes_cpus = true, .run = run };
