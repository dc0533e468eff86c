// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Types whose workers come in groups.  Each of these tests looks at them while they run: who waits for
 * whom shows in iterations that never get further apart than the type says, at whatever moment. */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/lib/work_rows.h"
#include "work/worker.h"

enum { ROUNDS = 200, HELD_UNITS = 200 };

#define SOON_NS (20 * NSEC_PER_SEC)

static struct ktstr_work make(enum ktstr_work_type type, uint64_t iterations)
{
	return (struct ktstr_work){ .name = "g", .type = type, .iterations = iterations };
}

static uint64_t done(const struct work_row *row, uint32_t index)
{
	return rows_read(row, index).iterations;
}

/* Both, then the first again, as neither stands still: it is at most one ahead, and never behind by
 * more than one. */
static void expect_in_step(const struct work_row *row, uint32_t a, uint32_t b)
{
	uint64_t before = done(row, a), other = done(row, b), after = done(row, a);

	assert_true(before <= other + 1);
	assert_true(other <= after + 1);
}

static void run_pair(enum ktstr_work_type type, bool threads)
{
	struct ktstr_work work = make(type, ROUNDS);
	uint64_t waited[2] = { 0 };
	struct work_row *row;

	work.threads = threads;
	row = rows_start(&work, 4);
	work_row_go(row, 0);
	while (!work_row_is_done(row)) {
		expect_in_step(row, 0, 1);
		expect_in_step(row, 2, 3);
	}
	for (uint32_t i = 0; i < 4; i++) {
		struct work_reading reading = rows_read(row, i);

		assert_true(rows_look(row, i).finished);
		assert_int_equal(reading.iterations, ROUNDS);
		assert_int_equal(reading.units, ROUNDS);
		assert_true(reading.wakes.count <= ROUNDS);
		waited[i / 2] += reading.wakes.count;
		if (!threads)
			assert_true(rows_task(row, i).voluntary >= reading.wakes.count / 2);
	}
	/* On one CPU a waker may find its answer there each time, but then the other had to wait. */
	assert_true(waited[0] > 0 && waited[1] > 0);
	work_row_destroy(row);
}

/* One that waits for the other goes no further without it, and does not want to run meanwhile. */
static void wait_for_partner(enum ktstr_work_type type)
{
	struct ktstr_work work = make(type, 0);
	struct work_row *row = rows_start(&work, 2);
	struct work_gap gap;
	uint64_t seen;

	work_row_go(row, 0);
	rows_await(row, 0, 3);
	kill(work_row_pid(row, 1), SIGSTOP);
	rows_await_state(row, 1, WORK_STOPPED);
	while (rows_task(row, 0).state != 'S')
		rows_pause();
	seen = done(row, 0);
	for (int i = 0; i < 20; i++)
		rows_pause();
	gap = rows_read_now(row, 0, 0).gap;
	assert_int_equal(done(row, 0), seen);
	assert_false(gap.open);
	kill(work_row_pid(row, 1), SIGCONT);
	rows_await(row, 0, seen + 3);
	assert_int_equal(work_row_reap(row, SOON_NS), 0);
	assert_int_equal(rows_look(row, 0).state, WORK_ENDED);
	assert_int_equal(rows_look(row, 1).state, WORK_ENDED);
	work_row_destroy(row);
}

static void pipe_pairs_take_turns(void **state)
{
	(void)state;
	run_pair(KTSTR_WORK_pipe_pair, false);
	run_pair(KTSTR_WORK_pipe_pair, true);
	wait_for_partner(KTSTR_WORK_pipe_pair);
}

static void futex_pairs_take_turns(void **state)
{
	(void)state;
	run_pair(KTSTR_WORK_futex_pair, false);
	run_pair(KTSTR_WORK_futex_pair, true);
	wait_for_partner(KTSTR_WORK_futex_pair);
}

static void signals_go_to_and_fro(void **state)
{
	(void)state;
	run_pair(KTSTR_WORK_signals, false);
	run_pair(KTSTR_WORK_signals, true);
	wait_for_partner(KTSTR_WORK_signals);
}

static void fanout_waits_for_all(void **state)
{
	struct ktstr_work work = make(KTSTR_WORK_futex_fanout, ROUNDS / 2);
	struct work_row *row;

	(void)state;
	work.params[0] = 6;
	work.params[2] = 100;
	row = rows_start(&work, 12);
	work_row_go(row, 0);
	while (!work_row_is_done(row)) {
		uint64_t rounds = done(row, 6);

		for (uint32_t i = 7; i < 12; i++)
			assert_true(done(row, i) >= rounds);
		/* Nobody is a round ahead of the one who wakes. */
		rounds = done(row, 1);
		assert_true(rounds <= done(row, 0) + 1);
	}
	for (uint32_t i = 0; i < 12; i++) {
		assert_true(rows_look(row, i).finished);
		assert_int_equal(done(row, i), ROUNDS / 2);
		assert_int_equal(rows_read(row, i).units, i % 6 ? ROUNDS : 0);
	}
	assert_true(rows_read(row, 1).wakes.count > 0);
	work_row_destroy(row);
}

static void chains_keep_their_order(void **state)
{
	struct ktstr_work work = make(KTSTR_WORK_wake_chain, ROUNDS);
	struct work_row *row;

	(void)state;
	work.params[0] = 5;
	row = rows_start(&work, 5);
	work_row_go(row, 0);
	while (!work_row_is_done(row)) {
		for (uint32_t i = 0; i < 4; i++) {
			uint64_t later = done(row, i + 1), earlier = done(row, i);

			/* It counts after it has woken the next one. */
			assert_true(later <= earlier + 1);
		}
		/* The last one wakes the first one again. */
		assert_true(done(row, 0) <= done(row, 4) + 2);
	}
	for (uint32_t i = 0; i < 5; i++) {
		assert_true(rows_look(row, i).finished);
		assert_int_equal(rows_read(row, i).units, ROUNDS);
		assert_true(rows_read(row, i).wakes.count > 0);
	}
	work_row_destroy(row);
}

static void herds_come_when_called(void **state)
{
	struct ktstr_work work = make(KTSTR_WORK_herd, 30);
	struct work_row *row;

	(void)state;
	work.params[2] = 2000;
	row = rows_start(&work, 8);
	work_row_go(row, 0);
	while (!work_row_is_done(row)) {
		uint64_t came = done(row, 7);

		assert_true(came <= done(row, 0) + 1);
	}
	for (uint32_t i = 0; i < 8; i++) {
		struct work_reading reading = rows_read(row, i);

		assert_true(rows_look(row, i).finished);
		assert_true(reading.iterations > 0 && reading.iterations <= 30);
		assert_int_equal(reading.units, i ? reading.iterations * 8 : 0);
		assert_true(reading.wakes.count > 0 && reading.wakes.count <= 31);
	}
	work_row_destroy(row);
}

static void one_lock_goes_round(void **state)
{
	struct ktstr_work work = make(KTSTR_WORK_mutex, ROUNDS);
	uint64_t waits = 0;
	struct work_row *row;

	(void)state;
	/* Nearly always held, and for so long that a holder loses its CPU, be there only one: whoever
	 * wants it must wait. */
	work.params[1] = HELD_UNITS;
	work.params[2] = 1;
	row = rows_run(&work, 8);
	for (uint32_t i = 0; i < 8; i++) {
		/* A lock held twice would have ended it. */
		assert_int_equal(rows_read(row, i).iterations, ROUNDS);
		assert_int_equal(rows_read(row, i).units, ROUNDS * (HELD_UNITS + 1));
		waits += rows_read(row, i).wakes.count;
	}
	assert_true(waits > ROUNDS / 4);
	work_row_destroy(row);
}

static void queues_lose_nothing(void **state)
{
	struct ktstr_work work = make(KTSTR_WORK_queue, 400);
	struct work_row *row;
	uint64_t taken = 0;

	(void)state;
	/* More than the two can take, so the producer waits for room most of the time. */
	work.params[1] = 1000000;
	work.params[2] = 20;
	work.params[3] = 4;
	row = rows_start(&work, 3);
	work_row_go(row, 0);
	while (!work_row_is_done(row)) {
		/* Items that are put in: 4 wait, 2 are worked on, and one is about to be counted. */
		uint64_t put = done(row, 0);

		assert_true(put <= done(row, 1) + done(row, 2) + 4 + 2);
	}
	for (uint32_t i = 1; i < 3; i++) {
		assert_true(rows_look(row, i).finished);
		assert_int_equal(rows_read(row, i).units, done(row, i) * 20);
		assert_true(done(row, i) > 0);
		taken += done(row, i);
	}
	assert_int_equal(done(row, 0), 400);
	assert_int_equal(taken, 400);
	work_row_destroy(row);
}

/* Many hands at once. */
static void queues_give_each_item_once(void **state)
{
	struct ktstr_work work = make(KTSTR_WORK_queue, 20000);
	struct work_row *row;
	uint64_t taken = 0;

	(void)state;
	work.params[0] = 8;
	work.params[1] = 1000000;
	work.params[2] = 1;
	row = rows_run(&work, 8);
	for (uint32_t i = 1; i < 8; i++)
		taken += done(row, i);
	assert_int_equal(taken, 20000);
	work_row_destroy(row);
}

static void slow_queues_wake_all_in_turn(void **state)
{
	struct ktstr_work work = make(KTSTR_WORK_queue, 90);
	struct work_row *row;

	(void)state;
	work.params[0] = 4;
	row = rows_run(&work, 4);
	for (uint32_t i = 1; i < 4; i++) {
		assert_true(done(row, i) >= 10);
		assert_true(rows_read(row, i).wakes.count > 0);
	}
	assert_int_equal(done(row, 1) + done(row, 2) + done(row, 3), 90);
	work_row_destroy(row);
}

static bool has_epoll(pid_t pid)
{
	char path[64], link[64];
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1);

		link[n > 0 ? n : 0] = '\0';
		found |= strcmp(link, "anon_inode:[eventpoll]") == 0;
	}
	closedir(dir);
	return found;
}

static void epoll_waits_for_events(void **state)
{
	struct ktstr_work work = make(KTSTR_WORK_epoll, 100);
	struct work_row *row;
	bool seen = false;

	(void)state;
	row = rows_start(&work, 6);
	work_row_go(row, 0);
	while (!work_row_is_done(row)) {
		uint64_t served = done(row, 2);

		assert_true(served <= done(row, 0) + 1);
		if (rows_look(row, 2).state == WORK_RUNNING && served > 0)
			seen |= has_epoll(work_row_pid(row, 2));
		assert_false(rows_look(row, 0).state == WORK_RUNNING &&
			     has_epoll(work_row_pid(row, 0)));
	}
	assert_true(seen);
	for (uint32_t i = 0; i < 6; i++) {
		struct work_reading reading = rows_read(row, i);

		assert_true(rows_look(row, i).finished);
		assert_true(reading.iterations > 0 && reading.iterations <= 100);
		assert_int_equal(reading.units, i % 3 ? reading.iterations * 2 : 0);
		assert_true(reading.wakes.count > 0);
	}
	work_row_destroy(row);
	work.threads = true;
	work_row_destroy(rows_run(&work, 6));
}

static bool invert(uint64_t inherit)
{
	static const int nices[] = { 19, 0, -10 };
	struct ktstr_work work = make(KTSTR_WORK_inversion, 0);
	struct work_row *row;

	work.params[0] = 64;
	work.params[2] = inherit;
	row = rows_start(&work, 6);
	work_row_go(row, 0);
	while (done(row, 5) < 10) {
		uint64_t high = done(row, 5), low;

		if (rows_look(row, 5).state == WORK_EXITED) {
			assert_string_equal(rows_look(row, 5).trouble,
					    "setpriority -10: Permission denied");
			work_row_destroy(row);
			return false;
		}
		low = done(row, 3);
		assert_true(high <= low + 2);
		assert_true(low <= done(row, 5) + 1);
	}
	for (uint32_t i = 0; i < 6; i++) {
		rows_await(row, i, 1);
		errno = 0;
		assert_int_equal(getpriority(PRIO_PROCESS, (id_t)work_row_tid(row, i)),
				 nices[i % 3]);
		assert_int_equal(errno, 0);
	}
	assert_int_equal(work_row_reap(row, SOON_NS), 0);
	/* What HIGH does itself, what LOW did with the lock, and what MIDDLE burnt meanwhile. */
	assert_true(rows_read(row, 3).units >= 10 * 64);
	assert_true(rows_read(row, 5).units >= 10);
	assert_true(rows_read(row, 4).units > 0);
	assert_true(rows_read(row, 5).wakes.count > 0);
	for (uint32_t i = 0; i < 6; i++)
		assert_int_equal(rows_look(row, i).state, WORK_ENDED);
	work_row_destroy(row);
	return true;
}

static void high_waits_for_low(void **state)
{
	(void)state;
	if (!invert(0) || !invert(1)) {
		print_message("needs the right to use a nice value of -10\n");
		skip();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pipe_pairs_take_turns),
		cmocka_unit_test(futex_pairs_take_turns),
		cmocka_unit_test(signals_go_to_and_fro),
		cmocka_unit_test(fanout_waits_for_all),
		cmocka_unit_test(chains_keep_their_order),
		cmocka_unit_test(herds_come_when_called),
		cmocka_unit_test(one_lock_goes_round),
		cmocka_unit_test(queues_lose_nothing),
		cmocka_unit_test(queues_give_each_item_once),
		cmocka_unit_test(slow_queues_wake_all_in_turn),
		cmocka_unit_test(epoll_waits_for_events),
		cmocka_unit_test(high_waits_for_low),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
