// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "guest/disturb.h"
#include "guest/perturb.h"

enum { CPUS = 8, SEEDS = 500 };

static struct perturb_plan plan_of(uint64_t seed, unsigned int nr_cpus)
{
	const struct job job = { .seed = seed, .heartbeat_ns = 500 * NSEC_PER_MSEC };
	struct perturb_plan plan;

	perturb_make(&plan, &job, nr_cpus);
	return plan;
}

static void one_seed_is_one_plan(void **state)
{
	struct perturb_plan a = plan_of(7, CPUS), again = plan_of(7, CPUS), b = plan_of(8, CPUS);

	(void)state;
	assert_memory_equal(&a, &again, sizeof(a));
	assert_memory_not_equal(&a, &b, sizeof(a));
}

static void check_range(const char *what, uint64_t low, uint64_t high, uint64_t max)
{
	if (high > max || low > max / 10 || high < max / 10 * 9)
		fail_msg("%s: from %llu to %llu, should reach most of 0 to %llu", what,
			 (unsigned long long)low, (unsigned long long)high,
			 (unsigned long long)max);
}

/* Each number stays in its range and reaches most of it. */
#define CHECK_FIELD(field, max)                                         \
	do {                                                            \
		uint64_t low = UINT64_MAX, high = 0;                    \
		for (uint64_t seed = 0; seed < SEEDS; seed++) {         \
			struct perturb_plan plan = plan_of(seed, CPUS); \
			uint64_t x = plan.field;                        \
			low = x < low ? x : low;                        \
			high = x > high ? x : high;                     \
		}                                                       \
		check_range(#field, low, high, max);                    \
	} while (0)

static void numbers_fill_their_ranges(void **state)
{
	(void)state;
	CHECK_FIELD(start_ns, PERTURB_START_NS);
	CHECK_FIELD(before_fork_ns, PERTURB_WAIT_NS);
	CHECK_FIELD(before_exec_ns, PERTURB_WAIT_NS);
	CHECK_FIELD(slack_ns, PERTURB_SLACK_NS);
	CHECK_FIELD(beat_ns, 500 * NSEC_PER_MSEC);
	CHECK_FIELD(body_cpu, CPUS - 1);
	CHECK_FIELD(wakes[3].work_ns, PERTURB_WORK_NS);
	CHECK_FIELD(wakes[7].gap_ns, PERTURB_GAP_NS);
	CHECK_FIELD(wakes[0].cpu, CPUS - 1);
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		assert_true(plan_of(seed, CPUS).slack_ns > 0);
		assert_true(plan_of(seed, CPUS).beat_ns > 0);
	}
}

static void every_cpu_is_woken_once(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct perturb_plan plan = plan_of(seed, CPUS);
		unsigned int seen = 0;

		assert_int_equal(plan.nr_cpus, CPUS);
		for (unsigned int i = 0; i < CPUS; i++)
			seen |= 1u << plan.wakes[i].cpu;
		assert_int_equal(seen, (1u << CPUS) - 1);
	}
	assert_int_equal(plan_of(1, 1).wakes[0].cpu, 0);
	assert_int_equal(plan_of(1, PERTURB_CPUS_MAX + 1).nr_cpus, PERTURB_CPUS_MAX);
}

/* As much of it as this machine has CPUs for: those this process may use. */
static struct perturb_plan plan_for_here(void)
{
	struct perturb_plan plan = plan_of(3, CPUS);
	cpu_set_t mine;
	int cpu = 0;

	assert_int_equal(sched_getaffinity(0, sizeof(mine), &mine), 0);
	while (!CPU_ISSET(cpu, &mine))
		cpu++;
	for (unsigned int i = 0; i < CPUS; i++)
		plan.wakes[i].cpu = (unsigned int)cpu;
	plan.body_cpu = (unsigned int)cpu;
	return plan;
}

static void a_child_has_slack_and_all_its_cpus(void **state)
{
	struct perturb_plan plan = plan_for_here();
	cpu_set_t before, after;
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	perturb_before_fork(&plan);
	pid = fork();
	if (pid == 0) {
		if (perturb_before_exec(&plan) < 0)
			_exit(1);
		if (sched_getaffinity(0, sizeof(after), &after) < 0 || !CPU_EQUAL(&before, &after))
			_exit(2);
		_exit(prctl(PR_GET_TIMERSLACK) == (int)plan.slack_ns ? 0 : 3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void cpus_are_woken_for_at_least_the_time_planned(void **state)
{
	struct perturb_plan plan = plan_for_here();
	uint64_t begin = clock_mono_ns(), least = plan.start_ns;
	struct ktstr_error err = { 0 };
	cpu_set_t before, after;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	for (unsigned int i = 0; i < CPUS; i++)
		least += plan.wakes[i].gap_ns;
	assert_int_equal(perturb_begin(&plan, &err), 0);
	assert_true(clock_mono_ns() - begin >= least);
	assert_int_equal(sched_getaffinity(0, sizeof(after), &after), 0);
	assert_true(CPU_EQUAL(&before, &after));
	plan.wakes[0].cpu = CPU_SETSIZE - 1;
	assert_true(perturb_begin(&plan, &err) < 0);
	assert_non_null(strstr(err.text, "wake CPU 1023"));
}

static void disturbances_stay_in_their_ranges(void **state)
{
	uint64_t pause_high = 0, work_high = 0;
	unsigned int seen = 0;
	struct prng p;

	(void)state;
	prng_init(&p, 1, CHANCE_DISTURBER);
	for (int i = 0; i < SEEDS; i++) {
		struct disturb_step step = disturb_next(&p, CPUS);

		assert_in_range(step.pause_ns, DISTURB_PAUSE_MIN_NS, DISTURB_PAUSE_MAX_NS);
		assert_in_range(step.work_ns, 0, DISTURB_WORK_NS);
		assert_in_range(step.cpu, 0, CPUS - 1);
		pause_high = step.pause_ns > pause_high ? step.pause_ns : pause_high;
		work_high = step.work_ns > work_high ? step.work_ns : work_high;
		seen |= 1u << step.cpu;
	}
	assert_int_equal(seen, (1u << CPUS) - 1);
	assert_true(pause_high > DISTURB_PAUSE_MAX_NS / 10 * 9);
	assert_true(work_high > DISTURB_WORK_NS / 10 * 9);
}

/* Without the right to SCHED_FIFO it says so. */
static void a_disturber_starts_and_ends(void **state)
{
	struct disturber *d = NULL;
	struct ktstr_error err = { 0 };
	int r = disturber_start(1, 1, &d, &err);

	(void)state;
	if (r < 0) {
		assert_int_equal(r, -EPERM);
		assert_non_null(strstr(err.text, "start the disturber"));
	}
	disturber_stop(d);
	disturber_stop(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_seed_is_one_plan),
		cmocka_unit_test(numbers_fill_their_ranges),
		cmocka_unit_test(every_cpu_is_woken_once),
		cmocka_unit_test(a_child_has_slack_and_all_its_cpus),
		cmocka_unit_test(cpus_are_woken_for_at_least_the_time_planned),
		cmocka_unit_test(disturbances_stay_in_their_ranges),
		cmocka_unit_test(a_disturber_starts_and_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
