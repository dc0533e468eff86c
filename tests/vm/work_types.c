// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Every type of work comes to its end in a guest: one after the other, a number of iterations each, then the
 * next.  Who is stuck misses its step's limit.
 */
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <ktstr/test.h>

#define UNTIL_DONE(name_) .until = "done " name_, .hold_ns = SECS(10)

#define TYPE(type_, iterations_, ...)                        \
	{                                                    \
		.works = { { .name = #type_,                 \
			     .type = KTSTR_WORK_##type_,     \
			     .iterations = iterations_,      \
			     ##__VA_ARGS__ } },              \
		.until = "done " #type_, .hold_ns = SECS(10) \
	}

#define ALL_CAME_TO_AN_END                                                              \
	{                                                                               \
		KTSTR_HOLDS(completion), KTSTR_HOLDS(step_ends), KTSTR_HOLDS(isolation) \
	}

static const struct ktstr_scenario alone = {
	.about = "workers that need no other do their work and end",
	.steps = { TYPE(spin, 20, .count = 3), TYPE(yield, 50, .count = 3),
		   TYPE(mixed, 10, .count = 3), TYPE(bursty, 5), TYPE(timer, 20), TYPE(cache, 5),
		   TYPE(faults, 2), TYPE(forks, 10) },
	.checks = ALL_CAME_TO_AN_END,
};

static const struct ktstr_scenario changing = {
	.about = "workers that change what they are do their work and end",
	.steps = { TYPE(nice_sweep, 41, .params = { 4 }), TYPE(affinity_churn, 40, .params = { 4 }),
		   TYPE(policy_churn, 9, .params = { 4 }), TYPE(rt_hog, 3), TYPE(idle_churn, 20),
		   TYPE(phases, 3), TYPE(once, 0, .params = { 500 }),
		   TYPE(program, 0, .program = "true", .count = 2) },
	.checks = ALL_CAME_TO_AN_END,
};

static const struct ktstr_scenario together = {
	.about = "groups of workers do their work and end",
	.steps = { TYPE(pipe_pair, 50), TYPE(futex_pair, 50), TYPE(futex_fanout, 20),
		   TYPE(wake_chain, 50), TYPE(herd, 10), TYPE(mutex, 20), TYPE(queue, 50),
		   TYPE(signals, 50) },
	.checks = ALL_CAME_TO_AN_END,
};

static const struct ktstr_scenario threads = {
	.about = "groups of threads do their work and end",
	.steps = { TYPE(epoll, 20),
		   TYPE(inversion, 5, .affinity = "one:1"),
		   {
			   .works = { { .name = "events",
					.type = KTSTR_WORK_epoll,
					.iterations = 20,
					.threads = true } },
			   UNTIL_DONE("events"),
		   } },
	.checks = ALL_CAME_TO_AN_END,
};

#define MACHINE                               \
	{                                     \
		.llcs = 2, .cores_per_llc = 2 \
	}

KTSTR_TEST(work_types_alone) = {
	.about = "workers that need no other come to their end",
	.topology = MACHINE,
	.scenario = &alone,
};

KTSTR_TEST(work_types_changing) = {
	.about = "workers that change policy, priority or CPUs come to their end",
	.topology = MACHINE,
	.scenario = &changing,
};

KTSTR_TEST(work_types_together) = {
	.about = "groups of workers come to their end",
	.topology = MACHINE,
	.scenario = &together,
};

KTSTR_TEST(work_types_threads) = {
	.about = "the rest of the groups come to their end, as processes and as threads",
	.topology = MACHINE,
	.scenario = &threads,
};

static uint64_t time_of_reads(bool call)
{
	enum { READS = 2000 };
	struct timespec before, after, now;

	clock_gettime(CLOCK_MONOTONIC, &before);
	for (int i = 0; i < READS; i++) {
		if (call)
			syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
		else
			clock_gettime(CLOCK_MONOTONIC, &now);
	}
	clock_gettime(CLOCK_MONOTONIC, &after);
	return ((uint64_t)(after.tv_sec - before.tv_sec) * 1000000000u + (uint64_t)after.tv_nsec -
		(uint64_t)before.tv_nsec) /
	       READS;
}

static void reading_clocks_is_cheap(struct ktstr *t)
{
	uint64_t own_ns = time_of_reads(false), call_ns = time_of_reads(true);

	ktstr_note(t, "a read takes %llu ns, by system call %llu ns", (unsigned long long)own_ns,
		   (unsigned long long)call_ns);
	EXPECT_LT(t, own_ns * 2, call_ns);
}

KTSTR_TEST(work_reads_clocks_without_calls) = {
	.about = "a sign of work costs no system call: the clock is read in user space",
	.run = reading_clocks_is_cheap,
};

KTSTR_MAIN
