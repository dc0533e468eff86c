// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "work/self.h"

/* A clock that was read before the phase began is one read by a worker that stood still since. */
static void old_time_is_no_sign_in_a_phase(void **state)
{
	static struct work_shared shared;
	static struct work_seat seat;
	struct work_self self = {
		.shared = &shared, .seats = &seat, .seat = &seat, .slot = &seat.slots[0]
	};
	uint64_t begin_ns = clock_mono_ns() + 1000 * NSEC_PER_SEC;
	struct work_peak_value gap;

	(void)state;
	work_begin(&self);
	atomic_store(&shared.phase_begin_ns[1], begin_ns);
	atomic_store(&shared.phase, 1);
	assert_true(work_sign(&self) == begin_ns);
	assert_true(atomic_load(&seat.slots[1].first_ns) == begin_ns);
	assert_true(atomic_load(&seat.slots[1].last_ns) == begin_ns);
	assert_true(atomic_load(&seat.wants_ns) == begin_ns);
	work_sign(&self);
	work_peak_read(&seat.slots[1].gap, &gap);
	assert_true(gap.ns == 0);
	assert_true(atomic_load(&seat.slots[0].last_ns) < begin_ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(old_time_is_no_sign_in_a_phase),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
