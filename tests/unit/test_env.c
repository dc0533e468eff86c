// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/env.h"

static void a_terminal_without_a_name_is_dumb(void **state)
{
	(void)state;
	setenv("TERM", "xterm", 1);
	assert_false(env_terminal_is_dumb());
	setenv("TERM", "dumb", 1);
	assert_true(env_terminal_is_dumb());
	setenv("TERM", "", 1);
	assert_true(env_terminal_is_dumb());
	unsetenv("TERM");
	assert_true(env_terminal_is_dumb());
}

static void color_is_for_terminals_that_have_it(void **state)
{
	(void)state;
	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	assert_true(env_allows_color());
	setenv("NO_COLOR", "", 1);
	assert_true(env_allows_color());
	setenv("NO_COLOR", "1", 1);
	assert_false(env_allows_color());
	unsetenv("NO_COLOR");
	setenv("TERM", "dumb", 1);
	assert_false(env_allows_color());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_terminal_without_a_name_is_dumb),
		cmocka_unit_test(color_is_for_terminals_that_have_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
