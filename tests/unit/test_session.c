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

static bool starved(uint64_t qemu_cpu_ns, uint64_t still_ns, uint64_t host_idle_ns)
{
	return session_was_starved(&(struct session_silence){ .window_ns = SECS(20),
							      .qemu_cpu_ns = qemu_cpu_ns,
							      .still_ns = still_ns,
							      .host_idle_ns = host_idle_ns });
}

static void a_busy_guest_hung(void **state)
{
	(void)state;
	assert_false(starved(SECS(19), 0, 0));
	assert_false(starved(SECS(2), MSECS(100), 0));
}

static void an_idle_guest_on_an_idle_host_hung(void **state)
{
	(void)state;
	assert_false(starved(MSECS(50), SECS(4), SECS(60)));
	assert_false(starved(MSECS(50), SECS(4), SECS(10)));
}

static void little_time_on_a_busy_host_is_starved(void **state)
{
	(void)state;
	assert_true(starved(MSECS(50), SECS(4), SECS(1)));
	assert_true(starved(SECS(1), 0, 0));
}

static void a_stopped_qemu_is_starved(void **state)
{
	(void)state;
	assert_true(starved(0, SECS(20), SECS(80)));
	assert_true(starved(MSECS(400), SECS(19), SECS(80)));
	assert_true(starved(SECS(5), SECS(15), SECS(80)));
}

static void a_gap_without_cpu_time_is_a_freeze(void **state)
{
	(void)state;
	assert_true(session_was_frozen(SECS(5), 0));
	assert_true(session_was_frozen(SECS(2), MSECS(100)));
	assert_false(session_was_frozen(MSECS(1900), 0));
	assert_false(session_was_frozen(SECS(5), SECS(1)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_busy_guest_hung),
		cmocka_unit_test(an_idle_guest_on_an_idle_host_hung),
		cmocka_unit_test(little_time_on_a_busy_host_is_starved),
		cmocka_unit_test(a_stopped_qemu_is_starved),
		cmocka_unit_test(a_gap_without_cpu_time_is_a_freeze),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
