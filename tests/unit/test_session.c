// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/session.h"

#define WINDOW SECS(20)

static void a_busy_guest_hung(void **state)
{
	(void)state;
	assert_false(session_was_starved(WINDOW, SECS(19), 0));
	assert_false(session_was_starved(WINDOW, SECS(2), 0));
}

static void an_idle_guest_on_an_idle_host_hung(void **state)
{
	(void)state;
	assert_false(session_was_starved(WINDOW, MSECS(50), SECS(60)));
	assert_false(session_was_starved(WINDOW, MSECS(50), SECS(10)));
}

static void little_time_on_a_busy_host_is_starved(void **state)
{
	(void)state;
	assert_true(session_was_starved(WINDOW, MSECS(50), SECS(1)));
	assert_true(session_was_starved(WINDOW, SECS(1), 0));
}

static void a_stopped_qemu_is_starved(void **state)
{
	(void)state;
	assert_true(session_was_starved(WINDOW, 0, SECS(80)));
	assert_true(session_was_starved(WINDOW, USECS(500), SECS(80)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_busy_guest_hung),
		cmocka_unit_test(an_idle_guest_on_an_idle_host_hung),
		cmocka_unit_test(little_time_on_a_busy_host_is_starved),
		cmocka_unit_test(a_stopped_qemu_is_starved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
