// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "guest/realclock.h"

enum { START = 1000000 };

static void a_clock_from_a_template_is_off(void **state)
{
	(void)state;
	assert_true(realclock_is_off(START - 1, START));
	assert_true(realclock_is_off(0, START));
	assert_true(realclock_is_off(START + REALCLOCK_BOOT_NS + 1, START));
}

static void a_clock_that_ran_on_since_is_not(void **state)
{
	(void)state;
	assert_false(realclock_is_off(START, START));
	assert_false(realclock_is_off(START + REALCLOCK_BOOT_NS, START));
}

static void nothing_is_asked_for_by_zero(void **state)
{
	(void)state;
	assert_int_equal(realclock_mend(0, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clock_from_a_template_is_off),
		cmocka_unit_test(a_clock_that_ran_on_since_is_not),
		cmocka_unit_test(nothing_is_asked_for_by_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
