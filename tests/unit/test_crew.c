// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/sysinfo.h>

#include <cmocka.h>

#include "ctprof/crew.h"

enum { PIECES = 10000, MEMBERS = 4 };

struct worker {
	atomic_int *done;
	size_t last, fail_at;
	size_t nr;
};

static int work(void *member, size_t piece)
{
	struct worker *w = member;

	if (piece == w->fail_at)
		return -EIO;
	/* Each member sees its pieces in order. */
	if (w->nr && piece <= w->last)
		return -EINVAL;
	w->last = piece;
	w->nr++;
	atomic_fetch_add(&w->done[piece], 1);
	return 0;
}

static int run(unsigned int nr_members, size_t nr_pieces, size_t fail_at, atomic_int *done)
{
	struct crew crew = { .work = work, .nr_members = nr_members, .nr_pieces = nr_pieces };
	struct worker workers[CREW_MAX];

	for (unsigned int i = 0; i < nr_members; i++) {
		workers[i] = (struct worker){ .done = done, .fail_at = fail_at };
		crew.members[i] = &workers[i];
	}
	return crew_run(&crew);
}

static void each_piece_is_done_once(void **state)
{
	static atomic_int done[PIECES];

	(void)state;
	assert_int_equal(run(MEMBERS, PIECES, PIECES, done), 0);
	for (int i = 0; i < PIECES; i++)
		assert_int_equal(done[i], 1);
	assert_int_equal(run(1, 3, PIECES, done), 0);
	assert_int_equal(run(MEMBERS, 0, PIECES, done), 0);
	assert_int_equal(done[2], 2);
	assert_int_equal(done[3], 1);
}

static void a_failure_ends_the_work(void **state)
{
	static atomic_int done[PIECES];

	(void)state;
	assert_int_equal(run(1, PIECES, 5, done), -EIO);
	assert_int_equal(done[4], 1);
	assert_int_equal(done[5] + done[6], 0);
	assert_int_equal(run(MEMBERS, PIECES, 5, done), -EIO);
}

/* Pieces of it wait until the one who began it says go. */
struct meanwhile {
	sem_t go, done;
	pthread_t caller;
	atomic_int by_caller;
};

static int wait_for_go(void *member, size_t piece)
{
	struct meanwhile *m = member;

	(void)piece;
	if (pthread_equal(pthread_self(), m->caller)) {
		atomic_fetch_add(&m->by_caller, 1);
		return 0;
	}
	sem_wait(&m->go);
	sem_post(&m->done);
	return 0;
}

static void helpers_work_meanwhile(void **state)
{
	struct meanwhile m = { .caller = pthread_self() };
	struct crew crew = { .work = wait_for_go, .nr_members = 3, .nr_pieces = 3 };
	struct crew_shift shift;

	(void)state;
	for (unsigned int i = 0; i < crew.nr_members; i++)
		crew.members[i] = &m;
	sem_init(&m.go, 0, 0);
	sem_init(&m.done, 0, 0);
	crew_begin(&shift, &crew, 2);
	/* Without helpers this would wait for ever. */
	sem_post(&m.go);
	sem_post(&m.go);
	sem_wait(&m.done);
	sem_wait(&m.done);
	sem_post(&m.go);
	assert_int_equal(crew_end(&shift), 0);
	assert_int_equal(shift.started, 3);

	m.by_caller = 0;
	crew_begin(&shift, &crew, 0);
	assert_int_equal(shift.started, 1);
	assert_int_equal(m.by_caller, 0);
	assert_int_equal(crew_end(&shift), 0);
	assert_int_equal(m.by_caller, 3);
	sem_destroy(&m.go);
	sem_destroy(&m.done);
}

static void what_is_abandoned_is_not_begun(void **state)
{
	static atomic_int done[PIECES];
	struct worker worker = { .done = done, .fail_at = PIECES };
	struct crew crew = {
		.work = work, .members = { &worker }, .nr_members = 1, .nr_pieces = PIECES
	};
	struct crew_shift shift;

	(void)state;
	crew_begin(&shift, &crew, 0);
	crew_abandon(&shift);
	assert_int_equal(worker.nr, 0);
	worker.fail_at = 2;
	crew_begin(&shift, &crew, 0);
	assert_int_equal(crew_end(&shift), -EIO);
	assert_int_equal(worker.nr, 2);
}

struct endless {
	struct crew_shift shift;
	sem_t begun;
	atomic_int nr;
};

static int work_until_stopped(void *member, size_t piece)
{
	struct endless *e = member;

	(void)piece;
	atomic_fetch_add(&e->nr, 1);
	sem_post(&e->begun);
	while (!atomic_load(&e->shift.stop))
		sched_yield();
	return 0;
}

/* If helpers were not told, this would wait for ever. */
static void helpers_are_told_to_stop(void **state)
{
	struct endless e = { .nr = 0 };
	struct crew crew = { .work = work_until_stopped,
			     .members = { &e, &e },
			     .nr_members = 2,
			     .nr_pieces = PIECES };

	(void)state;
	sem_init(&e.begun, 0, 0);
	crew_begin(&e.shift, &crew, 1);
	sem_wait(&e.begun);
	crew_abandon(&e.shift);
	assert_int_equal(e.nr, 1);
	sem_destroy(&e.begun);
}

struct meeting {
	pthread_barrier_t both;
	pthread_t caller;
	sigset_t blocked; /* by the other */
};

static int meet(void *member, size_t piece)
{
	struct meeting *m = member;

	(void)piece;
	if (!pthread_equal(pthread_self(), m->caller))
		pthread_sigmask(SIG_SETMASK, NULL, &m->blocked);
	pthread_barrier_wait(&m->both);
	return 0;
}

/* Without a helper this would wait for ever. */
static void signals_are_left_to_the_caller(void **state)
{
	struct meeting m = { .caller = pthread_self() };
	struct crew crew = { .work = meet, .members = { &m, &m }, .nr_members = 2, .nr_pieces = 2 };
	sigset_t none, before, after;

	(void)state;
	pthread_barrier_init(&m.both, NULL, 2);
	sigemptyset(&none);
	pthread_sigmask(SIG_SETMASK, &none, &before);
	assert_int_equal(crew_run(&crew), 0);
	pthread_sigmask(SIG_SETMASK, &before, &after);
	assert_true(sigisemptyset(&after));
	assert_int_equal(sigismember(&m.blocked, SIGINT), 1);
	assert_int_equal(sigismember(&m.blocked, SIGTERM), 1);
	pthread_barrier_destroy(&m.both);
}

static void busy_cpus_are_left_alone(void **state)
{
	struct crew_machine machine = { 0 };
	struct sysinfo info;

	(void)state;
	assert_int_equal(crew_share(1, 1), 1);
	assert_int_equal(crew_share(4, 1), 3);
	assert_int_equal(crew_share(4, 3), 2);
	assert_int_equal(crew_share(4, 4), 1);
	assert_int_equal(crew_share(4, 40), 1);
	assert_int_equal(crew_share(4, 0), 3);
	assert_int_equal(crew_share(1000, 1), CREW_MAX);
	assert_in_range(crew_size(), 1, CREW_MAX);
	assert_int_equal(crew_look(&machine), 0);
	assert_in_range(machine.size, 1, CREW_MAX);
	/* Some come and go between the two looks. */
	assert_int_equal(sysinfo(&info), 0);
	assert_in_range(machine.threads, info.procs / 2, info.procs * 2u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_piece_is_done_once),
		cmocka_unit_test(a_failure_ends_the_work),
		cmocka_unit_test(helpers_work_meanwhile),
		cmocka_unit_test(what_is_abandoned_is_not_begun),
		cmocka_unit_test(helpers_are_told_to_stop),
		cmocka_unit_test(signals_are_left_to_the_caller),
		cmocka_unit_test(busy_cpus_are_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
