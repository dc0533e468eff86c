// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run/queue.h"

static struct queue q;

static void make(size_t nr, const uint32_t *cpus)
{
	assert_int_equal(queue_init(&q, nr), 0);
	for (size_t i = 0; i < nr; i++)
		q.items[i].need.cpus = cpus[i];
	q.room = (struct admission_room){ .jobs = 4, .cpus = 4 };
}

static int tear_down(void **state)
{
	(void)state;
	queue_deinit(&q);
	return 0;
}

static size_t starts(void)
{
	size_t index;

	assert_int_equal(queue_next(&q, &index), QUEUE_START);
	queue_start(&q, index);
	return index;
}

static void waits_for(enum queue_next wanted)
{
	size_t index;

	assert_int_equal(queue_next(&q, &index), wanted);
}

static void all_are_run_once_in_order(void **state)
{
	(void)state;
	make(6, (const uint32_t[]){ 1, 1, 1, 1, 1, 1 });
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(starts(), i);
	waits_for(QUEUE_LATER);
	queue_end(&q, 2);
	assert_int_equal(starts(), 4);
	queue_end(&q, 0);
	assert_int_equal(starts(), 5);
	waits_for(QUEUE_EMPTY);
	queue_end(&q, 1);
	queue_end(&q, 3);
	queue_end(&q, 4);
	queue_end(&q, 5);
	assert_int_equal(q.use.jobs, 0);
	assert_int_equal(q.use.cpus, 0);
	waits_for(QUEUE_EMPTY);
}

static void small_ones_pass_but_not_for_ever(void **state)
{
	uint32_t cpus[ADMISSION_PASSES + 4];
	size_t last = 0;

	(void)state;
	for (size_t i = 0; i < ADMISSION_PASSES + 4; i++)
		cpus[i] = i == 1 ? 4 : 1;
	make(ADMISSION_PASSES + 4, cpus);
	assert_int_equal(starts(), 0);
	for (size_t i = 2; i < ADMISSION_PASSES + 2; i++) {
		assert_int_equal(starts(), i);
		queue_end(&q, i);
	}
	/* Now all others hold until the large one has run. */
	waits_for(QUEUE_LATER);
	queue_end(&q, last);
	assert_int_equal(starts(), 1);
	waits_for(QUEUE_LATER);
	queue_end(&q, 1);
	assert_int_equal(starts(), ADMISSION_PASSES + 2);
}

static void none_passes_where_order_counts(void **state)
{
	(void)state;
	make(3, (const uint32_t[]){ 1, 4, 1 });
	q.in_order = true;
	assert_int_equal(starts(), 0);
	waits_for(QUEUE_LATER);
	queue_end(&q, 0);
	assert_int_equal(starts(), 1);
	queue_end(&q, 1);
	assert_int_equal(starts(), 2);
}

static void what_never_fits_is_refused_in_its_turn(void **state)
{
	size_t index;

	(void)state;
	make(3, (const uint32_t[]){ 1, 5, 1 });
	assert_int_equal(starts(), 0);
	assert_int_equal(queue_next(&q, &index), QUEUE_REFUSE);
	assert_int_equal(index, 1);
	queue_end(&q, 1);
	assert_int_equal(starts(), 2);
	assert_int_equal(q.use.jobs, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(all_are_run_once_in_order, tear_down),
		cmocka_unit_test_teardown(small_ones_pass_but_not_for_ever, tear_down),
		cmocka_unit_test_teardown(none_passes_where_order_counts, tear_down),
		cmocka_unit_test_teardown(what_never_fits_is_refused_in_its_turn, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
