// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "guest/perturb.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/clock.h"
#include "base/prng.h"

static void wait_ns(uint64_t ns)
{
	const struct timespec time = { (time_t)(ns / NSEC_PER_SEC), (long)(ns % NSEC_PER_SEC) };

	clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
}

/* Fisher and Yates. */
static void shuffle(struct perturb_plan *plan, struct prng *p)
{
	for (unsigned int i = 0; i < plan->nr_cpus; i++)
		plan->wakes[i].cpu = i;
	for (unsigned int i = plan->nr_cpus - 1; i > 0; i--) {
		unsigned int j = (unsigned int)prng_below(p, i + 1ull);
		unsigned int cpu = plan->wakes[i].cpu;

		plan->wakes[i].cpu = plan->wakes[j].cpu;
		plan->wakes[j].cpu = cpu;
	}
}

void perturb_make(struct perturb_plan *plan, const struct job *job, unsigned int nr_cpus)
{
	struct prng p;

	prng_init(&p, job->seed, CHANCE_AGENT);
	*plan = (struct perturb_plan){
		.nr_cpus = nr_cpus < PERTURB_CPUS_MAX ? nr_cpus : PERTURB_CPUS_MAX,
	};
	shuffle(plan, &p);
	for (unsigned int i = 0; i < plan->nr_cpus; i++) {
		plan->wakes[i].work_ns = prng_below(&p, PERTURB_WORK_NS + 1);
		plan->wakes[i].gap_ns = prng_below(&p, PERTURB_GAP_NS + 1);
	}
	plan->start_ns = prng_below(&p, PERTURB_START_NS + 1);
	plan->before_fork_ns = prng_below(&p, PERTURB_WAIT_NS + 1);
	plan->body_cpu = (unsigned int)prng_below(&p, plan->nr_cpus);
	plan->before_exec_ns = prng_below(&p, PERTURB_WAIT_NS + 1);
	plan->slack_ns = 1 + prng_below(&p, PERTURB_SLACK_NS);
	plan->beat_ns = 1 + prng_below(&p, job->heartbeat_ns);
}

static void work(uint64_t ns)
{
	uint64_t end = clock_mono_ns() + ns;

	while (clock_mono_ns() < end)
		continue;
}

static int run_on(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) < 0 ? -errno : 0;
}

int perturb_begin(const struct perturb_plan *plan, struct ktstr_error *err)
{
	cpu_set_t all;
	int r = sched_getaffinity(0, sizeof(all), &all) < 0 ? -errno : 0;

	for (unsigned int i = 0; r == 0 && i < plan->nr_cpus; i++) {
		const struct perturb_wake *wake = &plan->wakes[i];

		r = run_on(wake->cpu);
		if (r < 0)
			return ktstr_error_set(err, r, "wake CPU %u: %s", wake->cpu, strerror(-r));
		work(wake->work_ns);
		wait_ns(wake->gap_ns);
	}
	if (r == 0)
		r = sched_setaffinity(0, sizeof(all), &all) < 0 ? -errno : 0;
	if (r < 0)
		return ktstr_error_set(err, r, "affinity: %s", strerror(-r));
	wait_ns(plan->start_ns);
	return 0;
}

void perturb_before_fork(const struct perturb_plan *plan)
{
	wait_ns(plan->before_fork_ns);
}

int perturb_before_exec(const struct perturb_plan *plan)
{
	cpu_set_t all;
	int r;

	if (sched_getaffinity(0, sizeof(all), &all) < 0)
		return -errno;
	r = run_on(plan->body_cpu);
	if (r < 0)
		return r;
	wait_ns(plan->before_exec_ns);
	if (sched_setaffinity(0, sizeof(all), &all) < 0 ||
	    prctl(PR_SET_TIMERSLACK, (unsigned long)plan->slack_ns) < 0)
		return -errno;
	return 0;
}
