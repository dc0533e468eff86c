// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "guest/settle.h"

static void only_the_whole_word_asks(void **state)
{
	(void)state;
	assert_true(settle_is_asked("ktstr.exact=1"));
	assert_true(settle_is_asked("console=ttyS0 ktstr.exact=1 lsm=\n"));
	assert_true(settle_is_asked("lsm= ktstr.exact=1\n"));
	assert_false(settle_is_asked(""));
	assert_false(settle_is_asked("\n"));
	assert_false(settle_is_asked("ktstr.exact=10"));
	assert_false(settle_is_asked("xktstr.exact=1 ktstr.exact=0"));
	assert_false(settle_is_asked("a=\"ktstr.exact=1\""));
}

static void the_target_is_between_round_times(void **state)
{
	(void)state;
	assert_int_equal(settle_target_ns(0, NSEC_PER_SEC), 1501700000);
	assert_int_equal(settle_target_ns(1, NSEC_PER_SEC), 1501700000);
	assert_int_equal(settle_target_ns(NSEC_PER_SEC - 1, NSEC_PER_SEC), 1501700000);
	assert_int_equal(settle_target_ns(NSEC_PER_SEC, NSEC_PER_SEC), 2501700000);
}

static void it_is_not_woken_early(void **state)
{
	uint64_t target = settle_target_ns(clock_mono_ns(), NSEC_PER_MSEC);

	(void)state;
	settle(NSEC_PER_MSEC);
	assert_true(clock_mono_ns() >= target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_whole_word_asks),
		cmocka_unit_test(the_target_is_between_round_times),
		cmocka_unit_test(it_is_not_woken_early),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
