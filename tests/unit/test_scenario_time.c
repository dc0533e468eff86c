// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run/scenario.h"

static void steps_and_attachments_add_up(void **state)
{
	static const struct ktstr_scheduler own = { .name = "own" }, slow = { .binary = "x" },
					    quick = { .binary = "x", .attach_timeout_ns = SECS(5) };
	const struct ktstr_scenario scenario = {
		.steps = { { .hold_ns = SECS(2), .ops = { { .kind = KTSTR_OP_restart } } },
			   { .hold_ns = SECS(1),
			     .ops = { { .kind = KTSTR_OP_detach },
				      { .kind = KTSTR_OP_attach } } } },
	};
	struct ktstr_test test = { .scheduler = &quick };

	(void)state;
	assert_int_equal(scenario_time_ns(&test), 0);
	test.scenario = &scenario;
	assert_int_equal(scenario_time_ns(&test), SECS(3 + 3 * 5));
	test.scheduler = &slow;
	assert_int_equal(scenario_time_ns(&test), SECS(3 + 3 * 600));
	test.scheduler = &own;
	assert_int_equal(scenario_time_ns(&test), SECS(3));
	test.scheduler = NULL;
	assert_int_equal(scenario_time_ns(&test), SECS(3));
}

static void endless_steps_do_not_wrap(void **state)
{
	const struct ktstr_scenario scenario = {
		.steps = { { .hold_ns = UINT64_MAX }, { .hold_ns = UINT64_MAX } },
	};
	const struct ktstr_test test = { .scenario = &scenario };

	(void)state;
	assert_int_equal(scenario_time_ns(&test), UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_and_attachments_add_up),
		cmocka_unit_test(endless_steps_do_not_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
