// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Types whose workers need no other: each does what it says, by what the kernel saw of it.  Some calls
 * are caught on their way to the C library, and written down before they are made. */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/lib/work_rows.h"
#include "work/worker.h"

enum { CALLS = 4096, PAGE = 4096 };

#define SOON_NS (20 * NSEC_PER_SEC)

struct calls {
	_Atomic uint32_t nr;
	int values[CALLS];
};
static struct calls *calls;

static void note_call(int value)
{
	uint32_t nr = calls ? atomic_fetch_add(&calls->nr, 1) : CALLS;

	if (nr < CALLS)
		calls->values[nr] = value;
}

int sched_yield(void)
{
	note_call(0);
	return (int)syscall(SYS_sched_yield);
}

int setpriority(__priority_which_t which, id_t who, int nice)
{
	note_call(nice);
	return (int)syscall(SYS_setpriority, which, who, nice);
}

int sched_setscheduler(pid_t pid, int policy, const struct sched_param *param)
{
	note_call(policy);
	return (int)syscall(SYS_sched_setscheduler, pid, policy, param);
}

int sched_setaffinity(pid_t pid, size_t size, const cpu_set_t *set)
{
	if (CPU_COUNT_S(size, set) == 1) {
		int cpu = 0;

		while (!CPU_ISSET_S((size_t)cpu, size, set))
			cpu++;
		note_call(cpu);
	}
	return (int)syscall(SYS_sched_setaffinity, pid, size, set);
}

/* Within its millisecond, of those that have a time to come. */
int clock_nanosleep(clockid_t clock, int flags, const struct timespec *due, struct timespec *rest)
{
	note_call((int)(due->tv_nsec % (long)NSEC_PER_MSEC));
	return syscall(SYS_clock_nanosleep, clock, flags, due, rest) < 0 ? errno : 0;
}

static int forget_calls(void **state)
{
	(void)state;
	if (!calls)
		calls = mmap(NULL, sizeof(*calls), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (calls == MAP_FAILED)
		return -1;
	atomic_store(&calls->nr, 0);
	return 0;
}

static struct ktstr_work make(enum ktstr_work_type type, uint64_t iterations)
{
	return (struct ktstr_work){ .name = "w", .type = type, .iterations = iterations };
}

static void spin_never_sleeps(void **state)
{
	struct ktstr_work work = make(KTSTR_WORK_spin, 300);
	struct work_row *row = rows_run(&work, 1);
	struct work_reading reading = rows_read(row, 0);

	(void)state;
	assert_int_equal(reading.iterations, 300);
	assert_int_equal(reading.units, 300 * 16);
	assert_int_equal(reading.wakes.count, 0);
	/* It waits to be let go, and nothing else. */
	assert_true(rows_task(row, 0).voluntary < 10);
	assert_int_equal(atomic_load(&calls->nr), 0);
	work_row_destroy(row);
}

static void yield_yields_after_each_unit(void **state)
{
	struct ktstr_work work = make(KTSTR_WORK_yield, 300);
	struct work_row *row = rows_run(&work, 1);

	(void)state;
	assert_int_equal(atomic_load(&calls->nr), 300);
	assert_int_equal(rows_read(row, 0).units, 300);
	assert_true(rows_task(row, 0).voluntary < 10);
	work_row_destroy(row);
}

static void mixed_burns_then_yields(void **state)
{
	struct ktstr_work work = make(KTSTR_WORK_mixed, 100);
	struct work_row *row = rows_run(&work, 1);

	(void)state;
	assert_int_equal(atomic_load(&calls->nr), 100);
	assert_int_equal(rows_read(row, 0).units, 1600);
	work_row_destroy(row);
}

static void bursty_burns_and_sleeps(void **state)
{
	struct ktstr_work work = make(KTSTR_WORK_bursty, 20);
	struct work_reading reading;
	struct work_row *row;

	(void)state;
	work.params[0] = 1000;
	work.params[1] = 2000;
	row = rows_run(&work, 1);
	reading = rows_read(row, 0);
	assert_int_equal(reading.wakes.count, 20);
	assert_true(reading.units >= 20);
	assert_true(reading.last_ns - reading.first_ns >= 20 * 3 * NSEC_PER_MSEC);
	assert_true(rows_task(row, 0).voluntary >= 20);
	work_row_destroy(row);
}

static void timer_wakes_at_absolute_times(void **state)
{
	struct ktstr_work work = make(KTSTR_WORK_timer, 30);
	struct work_reading reading;
	struct work_row *row;
	uint32_t nr;

	(void)state;
	work.params[0] = 1000;
	row = rows_run(&work, 1);
	reading = rows_read(row, 0);
	assert_int_equal(reading.iterations, 30);
	assert_int_equal(reading.units, 30);
	assert_true(reading.last_ns - reading.first_ns >= 30 * NSEC_PER_MSEC);
	/* Times it was due at are whole intervals apart: lateness does not add up. */
	nr = atomic_load(&calls->nr);
	assert_true(nr > 0 && nr <= 30);
	assert_true(reading.wakes.count == nr);
	for (uint32_t i = 1; i < nr; i++)
		assert_int_equal(calls->values[i], calls->values[0]);
	work_row_destroy(row);
}

static void cache_touches_all_its_memory(void **state)
{
	struct ktstr_work work = make(KTSTR_WORK_cache, 10);
	struct work_row *row;

	(void)state;
	work.params[0] = 1 << 20;
	row = rows_run(&work, 1);
	/* One for each 1024 lines of 64 bytes. */
	assert_int_equal(rows_read(row, 0).units, 10 * (1 << 20) / 64 / 1024);
	assert_true(rows_task(row, 0).minor_faults >= (1 << 20) / PAGE);
	assert_true(rows_task(row, 0).voluntary < 10);
	work_row_destroy(row);
}

static void faults_are_taken_again_and_again(void **state)
{
	struct ktstr_work work = make(KTSTR_WORK_faults, 10);
	struct work_row *row;
	uint64_t pages = (1 << 20) / (uint64_t)sysconf(_SC_PAGESIZE);

	(void)state;
	row = rows_run(&work, 1);
	assert_int_equal(rows_read(row, 0).units, 10 * pages);
	assert_true(rows_task(row, 0).minor_faults >= 10 * pages);
	work_row_destroy(row);
}

static void forks_makes_and_collects_children(void **state)
{
	struct ktstr_work work = make(KTSTR_WORK_forks, 25);
	struct work_row *row = rows_run(&work, 1);

	(void)state;
	/* Each child breaks the sharing of at least one page, and was collected. */
	assert_true(rows_task(row, 0).child_faults >= 25);
	assert_int_equal(rows_read(row, 0).iterations, 25);
	work_row_destroy(row);
}

static void nice_sweep_goes_through_all_values(void **state)
{
	struct ktstr_work work = make(KTSTR_WORK_nice_sweep, 42);
	struct work_row *row = rows_start(&work, 1);

	(void)state;
	work_row_go(row, 0);
	rows_await_end(row);
	assert_int_equal(calls->values[0], -20);
	if (rows_look(row, 0).state == WORK_EXITED) {
		assert_int_equal(rows_look(row, 0).exit_code, 125);
		assert_string_equal(rows_look(row, 0).trouble,
				    "setpriority -20: Permission denied");
		work_row_destroy(row);
		print_message("needs the right to use a nice value of -20\n");
		skip();
	}
	assert_int_equal(atomic_load(&calls->nr), 42);
	for (int i = 0; i < 42; i++)
		assert_int_equal(calls->values[i], i % 40 - 20);
	assert_int_equal(rows_task(row, 0).nice, -19);
	assert_int_equal(rows_read(row, 0).units, 42 * 64);
	work_row_destroy(row);
}

static void policy_churn_goes_through_policies(void **state)
{
	static const int policies[] = { SCHED_OTHER, SCHED_BATCH, SCHED_IDLE };
	struct ktstr_work work = make(KTSTR_WORK_policy_churn, 9);
	struct work_row *row = rows_start(&work, 1);

	(void)state;
	work_row_go(row, 0);
	rows_await_end(row);
	if (rows_look(row, 0).state == WORK_EXITED) {
		assert_string_equal(rows_look(row, 0).trouble,
				    "sched_setscheduler SCHED_OTHER: Operation not permitted");
		work_row_destroy(row);
		print_message("needs the right to use SCHED_OTHER for a task of another policy\n");
		skip();
	}
	assert_int_equal(atomic_load(&calls->nr), 9);
	for (int i = 0; i < 9; i++)
		assert_int_equal(calls->values[i], policies[i % 3]);
	assert_int_equal(rows_task(row, 0).policy, SCHED_IDLE);
	work_row_destroy(row);
}

static uint32_t count(const uint64_t cpus[WORK_CPU_WORDS])
{
	uint32_t nr = 0;

	for (int i = 0; i < WORK_CPU_WORDS; i++)
		nr += (uint32_t)__builtin_popcountll(cpus[i]);
	return nr;
}

static void affinity_churn_visits_all_cpus(void **state)
{
	struct ktstr_work work = make(KTSTR_WORK_affinity_churn, 200);
	struct work_reading reading;
	struct work_row *row;
	int first[CALLS];
	cpu_set_t set;

	(void)state;
	work.params[0] = 1;
	/* Workers start with all their cpuset allows, whatever this program was given. */
	memset(&set, 0xff, sizeof(set));
	assert_int_equal(sched_setaffinity(0, sizeof(set), &set), 0);
	sched_getaffinity(0, sizeof(set), &set);
	row = rows_run(&work, 1);
	reading = rows_read(row, 0);
	assert_int_equal(atomic_load(&calls->nr), 200);
	assert_int_equal(count(reading.cpus), CPU_COUNT(&set));
	memcpy(first, calls->values, sizeof(first));
	for (int i = 0; i < 200; i++)
		assert_true(reading.cpus[first[i] / 64] >> first[i] % 64 & 1);
	work_row_destroy(row);
	/* The same seed, the same CPUs. */
	forget_calls(NULL);
	work_row_destroy(rows_run(&work, 1));
	assert_memory_equal(first, calls->values, 200 * sizeof(first[0]));
}

static void affinity_churn_keeps_to_what_is_allowed(void **state)
{
	struct ktstr_work work = make(KTSTR_WORK_affinity_churn, 50);
	struct work_row *row = rows_start(&work, 1);
	uint64_t cpus[WORK_CPU_WORDS] = { 0 };
	int last = 0;
	cpu_set_t set;

	(void)state;
	CPU_ZERO(&set);
	sched_getaffinity(0, sizeof(set), &set);
	for (int cpu = 0; cpu < WORK_CPU_WORDS * 64; cpu++) {
		if (CPU_ISSET((size_t)cpu, &set))
			last = cpu;
	}
	cpus[last / 64] = 1ull << last % 64;
	work_row_allow(row, 0, cpus, UINT64_MAX);
	work_row_go(row, 0);
	rows_await_end(row);
	assert_int_equal(atomic_load(&calls->nr), 50);
	for (int i = 0; i < 50; i++)
		assert_int_equal(calls->values[i], last);
	work_row_destroy(row);
}

static void rt_hog_has_its_priority(void **state)
{
	struct ktstr_work work = make(KTSTR_WORK_rt_hog, 0);
	struct work_row *row;
	struct sched_param param;

	(void)state;
	work.params[1] = 1000;
	work.params[2] = 4000;
	row = rows_start(&work, 1);
	work_row_go(row, 0);
	while (rows_read(row, 0).iterations < 3) {
		if (rows_look(row, 0).state == WORK_EXITED) {
			assert_string_equal(rows_look(row, 0).trouble,
					    "sched_setscheduler SCHED_FIFO: Operation not "
					    "permitted");
			work_row_destroy(row);
			print_message("needs the right to use SCHED_FIFO\n");
			skip();
		}
		rows_pause();
	}
	assert_int_equal(sched_getscheduler(work_row_tid(row, 0)), SCHED_FIFO);
	assert_int_equal(sched_getparam(work_row_tid(row, 0), &param), 0);
	assert_int_equal(param.sched_priority, 20);
	assert_true(rows_read(row, 0).wakes.count >= 2);
	assert_int_equal(work_row_reap(row, SOON_NS), 0);
	work_row_destroy(row);
}

static void idle_churn_sleeps_at_random(void **state)
{
	struct ktstr_work work = make(KTSTR_WORK_idle_churn, 40);
	struct work_reading reading;
	struct work_row *row;

	(void)state;
	row = rows_run(&work, 2);
	reading = rows_read(row, 0);
	assert_int_equal(reading.units, 40 * 4);
	assert_int_equal(reading.wakes.count, 40);
	assert_true(rows_task(row, 0).voluntary >= 30);
	/* The sum of 40 numbers below a millisecond by this seed. */
	assert_true(reading.last_ns - reading.first_ns > 10 * NSEC_PER_MSEC);
	work_row_destroy(row);
}

static void phases_burns_sleeps_and_yields(void **state)
{
	struct ktstr_work work = make(KTSTR_WORK_phases, 5);
	struct work_reading reading;
	struct work_row *row;

	(void)state;
	work.params[0] = work.params[1] = work.params[2] = 2000;
	row = rows_run(&work, 1);
	reading = rows_read(row, 0);
	assert_int_equal(reading.wakes.count, 5);
	assert_true(reading.units >= 5);
	/* Beside the five sleeps. */
	assert_true(atomic_load(&calls->nr) > 5);
	assert_true(reading.last_ns - reading.first_ns >= 5 * 6 * NSEC_PER_MSEC);
	work_row_destroy(row);
}

static void once_does_its_work_and_ends(void **state)
{
	struct ktstr_work work = make(KTSTR_WORK_once, 0);
	struct work_row *row;

	(void)state;
	work.params[0] = 500;
	row = rows_run(&work, 2);
	assert_int_equal(rows_read(row, 1).iterations, 1);
	assert_int_equal(rows_read(row, 1).units, 500);
	assert_false(rows_look(row, 1).exit_code == 0);
	work_row_destroy(row);
	/* Stopped in the middle it is not finished. */
	work.params[0] = 4000000000;
	row = rows_start(&work, 1);
	work_row_go(row, 0);
	while (rows_read(row, 0).units < 1)
		rows_pause();
	assert_int_equal(work_row_reap(row, SOON_NS), 0);
	assert_int_equal(rows_look(row, 0).state, WORK_ENDED);
	assert_false(rows_look(row, 0).finished);
	assert_int_equal(rows_read(row, 0).iterations, 0);
	work_row_destroy(row);
}

static struct work_end run_program(const char *program, const char *argument)
{
	const struct ktstr_work work = { .name = "p",
					 .type = KTSTR_WORK_program,
					 .program = program,
					 .args = { argument ? "-c" : NULL, argument } };
	struct work_row *row = rows_start(&work, 1);
	struct work_reading reading;
	struct work_end end;

	work_row_go(row, 0);
	rows_await_end(row);
	end = rows_look(row, 0);
	assert_int_equal(work_row_read(row, 0, 0, 0, &reading), -ENODATA);
	work_row_destroy(row);
	return end;
}

static void programs_end_as_they_end(void **state)
{
	struct work_end end = run_program("true", NULL);

	(void)state;
	assert_int_equal(end.state, WORK_ENDED);
	assert_true(end.finished);
	end = run_program("sh", "exit 3");
	assert_int_equal(end.state, WORK_EXITED);
	assert_int_equal(end.exit_code, 3);
	end = run_program("sh", "kill -ABRT $$");
	assert_int_equal(end.state, WORK_SIGNALED);
	assert_int_equal(end.signal, SIGABRT);
}

static void programs_are_asked_to_end(void **state)
{
	const struct ktstr_work work = {
		.name = "p", .type = KTSTR_WORK_program, .program = "sleep", .args = { "1000" }
	};
	struct work_row *row = rows_start(&work, 1);

	(void)state;
	work_row_go(row, 0);
	while (strcmp(rows_task(row, 0).comm, "sleep") != 0)
		rows_pause();
	assert_int_equal(rows_look(row, 0).state, WORK_RUNNING);
	assert_int_equal(work_row_reap(row, SOON_NS), 0);
	assert_int_equal(rows_look(row, 0).state, WORK_ENDED);
	assert_int_equal(rows_look(row, 0).signal, SIGTERM);
	assert_false(rows_look(row, 0).finished);
	work_row_destroy(row);
}

static void tell_context(const struct ktstr_work_context *context)
{
	context->did(context->handle, context->count * 100 + context->index);
	context->did(context->handle, context->seed & 0xff ? 1 : 2);
}

static void custom_calls_the_function(void **state)
{
	const struct ktstr_work work = { .name = "c",
					 .type = KTSTR_WORK_custom,
					 .run = tell_context };
	struct work_row *row = rows_run(&work, 3);

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		uint64_t iterations = rows_read(row, i).iterations;

		assert_true(iterations == 300 + i + 1 || iterations == 300 + i + 2);
	}
	work_row_destroy(row);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, forget_calls)
	const struct CMUnitTest tests[] = {
		TEST(spin_never_sleeps),
		TEST(yield_yields_after_each_unit),
		TEST(mixed_burns_then_yields),
		TEST(bursty_burns_and_sleeps),
		TEST(timer_wakes_at_absolute_times),
		TEST(cache_touches_all_its_memory),
		TEST(faults_are_taken_again_and_again),
		TEST(forks_makes_and_collects_children),
		TEST(nice_sweep_goes_through_all_values),
		TEST(policy_churn_goes_through_policies),
		TEST(affinity_churn_visits_all_cpus),
		TEST(affinity_churn_keeps_to_what_is_allowed),
		TEST(rt_hog_has_its_priority),
		TEST(idle_churn_sleeps_at_random),
		TEST(phases_burns_sleeps_and_yields),
		TEST(once_does_its_work_and_ends),
		TEST(programs_end_as_they_end),
		TEST(programs_are_asked_to_end),
		TEST(custom_calls_the_function),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
