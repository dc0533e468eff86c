// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctprof/bpf_roll.h"

enum { MANY = 3000, PROCESSES = 10 };

static void the_first_sighting_of_a_thread_stays(void **state)
{
	static const struct ctprof_thread threads[] = {
		{ .tgid = 9, .tid = 9 },  { .tgid = 5, .tid = 10 }, { .tgid = 9, .tid = 11 },
		{ .tgid = 5, .tid = 10 }, { .tgid = 5, .tid = 5 },
	};
	static const struct ctprof_name name;
	const struct bpf_sighting *leader;
	struct bpf_roll roll = { 0 };

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(bpf_roll_add(&roll, &threads[i], i == 1 ? &name : NULL), 0);
	assert_int_equal(bpf_roll_sort(&roll), 0);
	assert_int_equal(roll.nr, 3);
	assert_int_equal(bpf_roll_process(&roll, 0, &leader), 1);
	assert_null(leader);
	for (size_t i = 3; i < 5; i++)
		assert_int_equal(bpf_roll_add(&roll, &threads[i], NULL), 0);
	assert_int_equal(bpf_roll_sort(&roll), 0);
	assert_int_equal(roll.nr, 4);
	assert_int_equal(bpf_roll_process(&roll, 0, &leader), 2);
	assert_ptr_equal(leader->thread, &threads[4]);
	assert_ptr_equal(bpf_roll_at(&roll, 0)->thread, &threads[4]);
	assert_ptr_equal(bpf_roll_at(&roll, 1)->thread, &threads[1]);
	assert_ptr_equal(bpf_roll_at(&roll, 1)->name, &name);
	assert_int_equal(bpf_roll_process(&roll, 2, &leader), 4);
	assert_ptr_equal(leader->thread, &threads[0]);
	bpf_roll_deinit(&roll);
}

/* After a repeated thread was dropped, what is added takes nobody's place. */
static void what_comes_later_takes_nobodys_place(void **state)
{
	static const struct ctprof_thread threads[] = {
		{ .tgid = 7, .tid = 7 },
		{ .tgid = 7, .tid = 7 },
		{ .tgid = 7, .tid = 8 },
		{ .tgid = 3, .tid = 3 },
	};
	struct bpf_roll roll = { 0 };

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(bpf_roll_add(&roll, &threads[i], NULL), 0);
	assert_int_equal(bpf_roll_sort(&roll), 0);
	assert_int_equal(bpf_roll_add(&roll, &threads[3], NULL), 0);
	assert_int_equal(bpf_roll_sort(&roll), 0);
	assert_int_equal(roll.nr, 3);
	assert_ptr_equal(bpf_roll_at(&roll, 0)->thread, &threads[3]);
	assert_ptr_equal(bpf_roll_at(&roll, 1)->thread, &threads[0]);
	assert_ptr_equal(bpf_roll_at(&roll, 2)->thread, &threads[2]);
	bpf_roll_deinit(&roll);
}

static void many_processes_are_told_apart(void **state)
{
	static struct ctprof_thread threads[MANY];
	const struct bpf_sighting *leader;
	struct bpf_roll roll = { 0 };
	size_t processes = 0, end;

	(void)state;
	for (unsigned int i = 0; i < MANY; i++) {
		threads[i].tgid = 100 + i % PROCESSES;
		threads[i].tid = 100 + i;
		assert_int_equal(bpf_roll_add(&roll, &threads[i], NULL), 0);
	}
	assert_int_equal(bpf_roll_sort(&roll), 0);
	for (size_t i = 0; i < roll.nr; i = end) {
		end = bpf_roll_process(&roll, i, &leader);
		assert_int_equal(end - i, MANY / PROCESSES);
		assert_ptr_equal(leader->thread, &threads[processes++]);
		for (size_t k = i; k < end; k++)
			assert_int_equal(bpf_roll_at(&roll, k)->thread->tgid, leader->thread->tgid);
	}
	assert_int_equal(processes, PROCESSES);
	bpf_roll_deinit(&roll);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_sighting_of_a_thread_stays),
		cmocka_unit_test(what_comes_later_takes_nobodys_place),
		cmocka_unit_test(many_processes_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
