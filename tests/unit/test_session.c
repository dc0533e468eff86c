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

/* A guest in the middle of its body, well within every limit. */
static struct session_clock clock_of(bool exact)
{
	return (struct session_clock){
		.exact = exact,
		.hello = true,
		.wall_ns = SECS(30),
		.heard_ns = MSECS(400),
		.cpu_ns = MSECS(400),
		.body_ns = SECS(20),
		.timeout_ns = SECS(60),
		.wall_limit_ns = SECS(600),
		.nr_cpus = 4,
	};
}

static void live_guests_are_held_to_the_hosts_clock(void **state)
{
	struct session_clock c = clock_of(false);

	(void)state;
	assert_int_equal(session_due(&c), SESSION_GOES_ON);
	c.heard_ns = SECS(21);
	assert_int_equal(session_due(&c), SESSION_SILENT);
	c.hello = false;
	assert_int_equal(session_due(&c), SESSION_GOES_ON);
	c.heard_ns = SECS(129);
	assert_int_equal(session_due(&c), SESSION_SILENT);
	c = clock_of(false);
	c.body_ns = SECS(91);
	assert_int_equal(session_due(&c), SESSION_OVERDUE);
	c.timeout_ns = 0;
	assert_int_equal(session_due(&c), SESSION_GOES_ON);
	c.wall_ns = SECS(6000);
	assert_int_equal(session_due(&c), SESSION_GOES_ON);
}

static void exact_guests_are_silent_by_cpu_time(void **state)
{
	struct session_clock c = clock_of(true);

	(void)state;
	c.heard_ns = SECS(300);
	assert_int_equal(session_due(&c), SESSION_GOES_ON);
	c.cpu_ns = SECS(31);
	assert_int_equal(session_due(&c), SESSION_SILENT);
	c.hello = false;
	assert_int_equal(session_due(&c), SESSION_GOES_ON);
	c.cpu_ns = SECS(257);
	assert_int_equal(session_due(&c), SESSION_SILENT);
}

static void exact_bodies_are_overdue_in_guest_time(void **state)
{
	struct session_clock c = clock_of(true);

	(void)state;
	c.wall_ns = SECS(599);
	assert_int_equal(session_due(&c), SESSION_GOES_ON);
	c.body_ns = SECS(91);
	assert_int_equal(session_due(&c), SESSION_OVERDUE);
	c.timeout_ns = UINT64_MAX;
	assert_int_equal(session_due(&c), SESSION_GOES_ON);
}

static void runaways_end_on_the_hosts_clock(void **state)
{
	struct session_clock c = clock_of(true);

	(void)state;
	c.wall_ns = SECS(601);
	assert_int_equal(session_due(&c), SESSION_WALL);
	c.wall_limit_ns = 0;
	assert_int_equal(session_due(&c), SESSION_GOES_ON);
	c.run_is_over = true;
	assert_int_equal(session_due(&c), SESSION_RUN_OVER);
	c.patient = true;
	c.cpu_ns = SECS(900);
	assert_int_equal(session_due(&c), SESSION_GOES_ON);
}

static void the_wall_limit_grows_with_the_bodys(void **state)
{
	(void)state;
	assert_int_equal(session_wall_limit_ns(0), SECS(600));
	assert_int_equal(session_wall_limit_ns(SECS(30)), SECS(600));
	assert_int_equal(session_wall_limit_ns(SECS(60)), SECS(1200));
	assert_int_equal(session_wall_limit_ns(INT64_MAX), UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_busy_guest_hung),
		cmocka_unit_test(an_idle_guest_on_an_idle_host_hung),
		cmocka_unit_test(little_time_on_a_busy_host_is_starved),
		cmocka_unit_test(a_stopped_qemu_is_starved),
		cmocka_unit_test(a_gap_without_cpu_time_is_a_freeze),
		cmocka_unit_test(live_guests_are_held_to_the_hosts_clock),
		cmocka_unit_test(exact_guests_are_silent_by_cpu_time),
		cmocka_unit_test(exact_bodies_are_overdue_in_guest_time),
		cmocka_unit_test(runaways_end_on_the_hosts_clock),
		cmocka_unit_test(the_wall_limit_grows_with_the_bodys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
