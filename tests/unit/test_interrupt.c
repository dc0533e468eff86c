// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <poll.h>
#include <signal.h>

#include <cmocka.h>

#include "run/interrupt.h"

static bool readable(void)
{
	struct pollfd p = { .fd = interrupt_fd(), .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void a_signal_is_seen_and_stays_seen(void **state)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct ktstr_error err;

	(void)state;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		assert_int_equal(interrupt_catch(&err), 0);
		assert_false(interrupt_seen());
		assert_false(readable());
		raise(signals[i]);
		raise(signals[i]);
		assert_true(interrupt_seen());
		assert_true(readable());
		interrupt_release();
		assert_false(interrupt_seen());
	}
}

static void what_was_ignored_stays_ignored(void **state)
{
	struct ktstr_error err;
	struct sigaction now;

	(void)state;
	signal(SIGHUP, SIG_IGN);
	assert_int_equal(interrupt_catch(&err), 0);
	raise(SIGHUP);
	assert_false(interrupt_seen());
	interrupt_release();
	assert_int_equal(sigaction(SIGHUP, NULL, &now), 0);
	assert_ptr_equal(now.sa_handler, SIG_IGN);
	interrupt_release();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signal_is_seen_and_stays_seen),
		cmocka_unit_test(what_was_ignored_stays_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
