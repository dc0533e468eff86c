// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run/admission.h"

static const struct admission_room room = {
	.jobs = 4, .cpus = 4, .memory_bytes = 1000, .address_bytes = 5000, .available_bytes = 900
};
static const struct admission_need small = { .cpus = 1, .memory_bytes = 100 };

static enum admission decide(struct admission_need need, struct admission_use use)
{
	return admission_decide(&need, &use, &room);
}

static void everything_is_counted(void **state)
{
	(void)state;
	assert_int_equal(decide(small, (struct admission_use){ 0 }), ADMISSION_START);
	assert_int_equal(decide(small, (struct admission_use){ .jobs = 3, .cpus = 3 }),
			 ADMISSION_START);
	assert_int_equal(decide(small, (struct admission_use){ .jobs = 4, .cpus = 0 }),
			 ADMISSION_WAIT);
	assert_int_equal(decide(small, (struct admission_use){ .jobs = 1, .cpus = 4 }),
			 ADMISSION_WAIT);
	assert_int_equal(decide(small, (struct admission_use){ .jobs = 1, .memory_bytes = 900 }),
			 ADMISSION_START);
	assert_int_equal(decide(small, (struct admission_use){ .jobs = 1, .memory_bytes = 901 }),
			 ADMISSION_WAIT);
}

static void what_never_fits_is_told_from_what_waits(void **state)
{
	const struct admission_use none = { 0 }, one = { .jobs = 1 };

	(void)state;
	assert_int_equal(decide((struct admission_need){ .cpus = 5 }, one), ADMISSION_NEVER);
	assert_int_equal(decide((struct admission_need){ .memory_bytes = 1001 }, one),
			 ADMISSION_NEVER);
	assert_int_equal(decide((struct admission_need){ .address_bytes = 5001 }, one),
			 ADMISSION_NEVER);
	assert_int_equal(decide((struct admission_need){ .address_bytes = 5000 }, one),
			 ADMISSION_START);
	/* Others use it now: it comes back, but for what is not ours. */
	assert_int_equal(decide((struct admission_need){ .memory_bytes = 901 }, one),
			 ADMISSION_WAIT);
	assert_int_equal(decide((struct admission_need){ .memory_bytes = 901 }, none),
			 ADMISSION_NEVER);
}

static void cpus_need_not_be_counted(void **state)
{
	struct admission_room many = room;
	const struct admission_need need = { .cpus = 4 };
	const struct admission_use use = { .jobs = 2, .cpus = 8 };

	(void)state;
	many.cpus = UINT32_MAX;
	assert_int_equal(admission_decide(&need, &use, &many), ADMISSION_START);
}

static void order_is_kept_but_for_gaps(void **state)
{
	const struct admission_need waiting[] = { { .cpus = 4 }, { .cpus = 2 }, { .cpus = 1 } };
	const struct admission_use none = { 0 }, one = { .jobs = 1, .cpus = 1 },
				   three = { .jobs = 2, .cpus = 3 }, all = { .jobs = 2, .cpus = 4 };

	(void)state;
	assert_int_equal(admission_pick(waiting, 3, 0, &none, &room), 0);
	assert_int_equal(admission_pick(waiting, 3, 0, &one, &room), 1);
	assert_int_equal(admission_pick(waiting, 3, 0, &three, &room), 2);
	assert_int_equal(admission_pick(waiting, 3, 0, &all, &room), -1);
	assert_int_equal(admission_pick(waiting, 0, 0, &none, &room), -1);
}

static void a_large_one_does_not_starve(void **state)
{
	const struct admission_need waiting[] = { { .cpus = 4 }, { .cpus = 1 } };
	const struct admission_use one = { .jobs = 1, .cpus = 1 }, none = { 0 };

	(void)state;
	assert_int_equal(admission_pick(waiting, 2, ADMISSION_PASSES - 1, &one, &room), 1);
	assert_int_equal(admission_pick(waiting, 2, ADMISSION_PASSES, &one, &room), -1);
	assert_int_equal(admission_pick(waiting, 2, ADMISSION_PASSES, &none, &room), 0);
}

static void sums_come_back_to_nothing(void **state)
{
	struct admission_use use = { 0 };

	(void)state;
	admission_add(&use, &small);
	admission_add(&use, &small);
	assert_int_equal(use.jobs, 2);
	assert_int_equal(use.cpus, 2);
	assert_int_equal(use.memory_bytes, 200);
	admission_sub(&use, &small);
	admission_sub(&use, &small);
	assert_int_equal(use.jobs + use.cpus + use.memory_bytes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_counted),
		cmocka_unit_test(what_never_fits_is_told_from_what_waits),
		cmocka_unit_test(cpus_need_not_be_counted),
		cmocka_unit_test(order_is_kept_but_for_gaps),
		cmocka_unit_test(a_large_one_does_not_starve),
		cmocka_unit_test(sums_come_back_to_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
