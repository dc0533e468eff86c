// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
// What the engine itself does to time: gaps seen by a thread that has its CPU to itself, and how late
// one wakes from a sleep.  A bound below these values says nothing about a scheduler.
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include <ktstr/test.h>

enum { CPUS = 4, CPUS_MAX = 64, SLEEPS = 200 };

#define SPAN   MSECS(500)
#define GAP    USECS(100) /* shorter ones are ticks and interrupts */
#define PERIOD MSECS(2)

struct spinner {
	pthread_t thread;
	uint64_t turns, longest_ns, lost_ns, gaps;
};

struct spinners {
	struct spinner all[CPUS_MAX];
	int nr, nr_running;
};

static atomic_bool must_stop;

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * SECS(1) + (uint64_t)ts.tv_nsec;
}

static void sleep_until(uint64_t ns)
{
	struct timespec ts = { .tv_sec = (time_t)(ns / SECS(1)), .tv_nsec = (long)(ns % SECS(1)) };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

static void *spin(void *arg)
{
	struct spinner *s = arg;
	uint64_t last = now_ns(), now;

	for (; !must_stop; last = now) {
		now = now_ns();
		s->turns++;
		if (now - last < GAP)
			continue;
		s->gaps++;
		s->lost_ns += now - last;
		if (now - last > s->longest_ns)
			s->longest_ns = now - last;
	}
	return NULL;
}

/* One for each CPU from @first on; --topology may have brought others than CPUS. */
static int spinners_start(struct spinners *all, int first)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int r = cpus > 0 && cpus <= CPUS_MAX ? 0 : E2BIG;

	*all = (struct spinners){ .nr = 0 };
	must_stop = false;
	for (int cpu = first; cpu < cpus && r == 0; cpu++) {
		pthread_attr_t attr;
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		pthread_attr_init(&attr);
		r = pthread_attr_setaffinity_np(&attr, sizeof(set), &set);
		if (r == 0)
			r = pthread_create(&all->all[all->nr].thread, &attr, spin,
					   &all->all[all->nr]);
		pthread_attr_destroy(&attr);
		all->nr += r == 0;
		all->nr_running = all->nr;
	}
	return -r;
}

static void spinners_stop(struct spinners *all)
{
	must_stop = true;
	while (all->nr_running > 0)
		pthread_join(all->all[--all->nr_running].thread, NULL);
}

static void busy_cpus_take_turns(struct ktstr *t)
{
	__attribute__((cleanup(spinners_stop))) struct spinners spinners;
	struct spinner sum = { 0 };

	ASSERT_OK(t, spinners_start(&spinners, 0));
	sleep_until(now_ns() + SPAN);
	spinners_stop(&spinners);
	for (int i = 0; i < spinners.nr; i++) {
		const struct spinner *s = &spinners.all[i];

		EXPECT_GT(t, s->turns, 0);
		sum.gaps += s->gaps;
		sum.lost_ns += s->lost_ns;
		if (s->longest_ns > sum.longest_ns)
			sum.longest_ns = s->longest_ns;
	}
	ktstr_measured(t, "longest_gap_ns", (double)sum.longest_ns, "ns");
	ktstr_measured(t, "gaps_per_cpu_second",
		       (double)sum.gaps / spinners.nr / ((double)SPAN / (double)SECS(1)), "1/s");
	if (sum.gaps)
		ktstr_measured(t, "mean_gap_ns", (double)sum.lost_ns / (double)sum.gaps, "ns");
}

KTSTR_TEST(busy_cpus_take_turns) = {
	.about = "threads that spin on a CPU each, and the gaps they see",
	.topology = { .llcs = 1, .cores_per_llc = CPUS },
	.run = busy_cpus_take_turns,
};

static void measure_wakes(struct ktstr *t, const char *longest_name, const char *mean_name)
{
	uint64_t due = now_ns(), late, longest = 0, sum = 0;

	for (int i = 0; i < SLEEPS; i++) {
		due += PERIOD;
		sleep_until(due);
		late = now_ns() - due;
		sum += late;
		if (late > longest)
			longest = late;
		due += late;
	}
	ktstr_measured(t, longest_name, (double)longest, "ns");
	ktstr_measured(t, mean_name, (double)sum / SLEEPS, "ns");
}

static void sleepers_wake_late(struct ktstr *t)
{
	__attribute__((cleanup(spinners_stop))) struct spinners spinners = { .nr = 0 };
	cpu_set_t first;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	ASSERT_EQ(t, sched_setaffinity(0, sizeof(first), &first), 0);
	measure_wakes(t, "longest_late_alone_ns", "mean_late_alone_ns");
	ASSERT_OK(t, spinners_start(&spinners, 1));
	measure_wakes(t, "longest_late_beside_ns", "mean_late_beside_ns");
}

KTSTR_TEST(sleepers_wake_late) = {
	.about = "a sleeper on a CPU of its own, alone and beside busy CPUs",
	.topology = { .llcs = 1, .cores_per_llc = CPUS },
	.run = sleepers_wake_late,
};

KTSTR_MAIN
