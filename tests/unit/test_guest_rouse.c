// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guest/rouse.h"

/* Without the right to SCHED_FIFO it says so. */
static void threads_start_where_that_is_allowed(void **state)
{
	struct ktstr_error err = { 0 };
	int r = rouse_start(1, 0, &err);

	(void)state;
	if (r < 0) {
		assert_true(r == -EPERM || r == -EINVAL); /* no right, or not to CPU 0 */
		assert_non_null(strstr(err.text, "rouse CPU 0"));
	}
	assert_int_equal(rouse_start(0, 0, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_start_where_that_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
