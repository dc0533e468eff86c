// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Bodies for figures: how much guest time passes per second of the host.  An hour of sleep takes an
 * hour in live mode, so `make vm` runs this program in exact mode.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include <ktstr/test.h>

#include "tests/lib/cpu.h"

enum { WORKERS = 4 };

struct worker {
	pthread_t thread;
	int cpu;
	uint64_t until_ns;
	uint64_t step_ns;
	uint64_t steps;
};

static void *sleep_in_steps(void *arg)
{
	struct worker *w = arg;
	uint64_t at = cpu_clock_ns(CLOCK_MONOTONIC);

	cpu_bind(w->cpu);
	while (at < w->until_ns) {
		struct timespec ts;

		at += w->step_ns;
		ts = (struct timespec){ .tv_sec = (time_t)(at / SECS(1)),
					.tv_nsec = (long)(at % SECS(1)) };
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
			;
		w->steps++;
	}
	return NULL;
}

static void *spin(void *arg)
{
	struct worker *w = arg;

	cpu_bind(w->cpu);
	while (cpu_clock_ns(CLOCK_MONOTONIC) < w->until_ns)
		w->steps++;
	return NULL;
}

static void run_workers(struct ktstr *t, void *(*body)(void *), uint64_t ns)
{
	struct worker workers[WORKERS] = { 0 };
	uint64_t began = cpu_clock_ns(CLOCK_MONOTONIC);

	for (int i = 0; i < WORKERS; i++) {
		workers[i] =
			(struct worker){ .cpu = i, .until_ns = began + ns, .step_ns = SECS(i + 1) };
		ASSERT_EQ(t, pthread_create(&workers[i].thread, NULL, body, &workers[i]), 0);
	}
	for (int i = 0; i < WORKERS; i++) {
		pthread_join(workers[i].thread, NULL);
		EXPECT_GT(t, workers[i].steps, 0);
	}
	EXPECT_GE(t, cpu_clock_ns(CLOCK_MONOTONIC) - began, ns);
	ktstr_measured(t, "guest_ns", (double)(cpu_clock_ns(CLOCK_MONOTONIC) - began), "ns");
}

static void sleep_an_hour(struct ktstr *t)
{
	run_workers(t, sleep_in_steps, SECS(3600));
}

KTSTR_TEST(hour_of_sleep) = {
	.about = "four workers sleep for an hour of guest time, in steps of 1 to 4 s",
	.topology = { .cores_per_llc = WORKERS },
	.timeout_ns = SECS(3700),
	.run = sleep_an_hour,
};

static void spin_two_seconds(struct ktstr *t)
{
	run_workers(t, spin, SECS(2));
}

KTSTR_TEST(spin_4) = {
	.about = "four workers, each on its own CPU, spin for two seconds of guest time",
	.topology = { .cores_per_llc = WORKERS },
	.run = spin_two_seconds,
};

KTSTR_MAIN
