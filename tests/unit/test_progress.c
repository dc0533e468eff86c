// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run/progress.h"

static const struct totals totals = { .planned = 100,
				      .counts = { [KTSTR_PASS] = 10, [KTSTR_FAIL] = 2 } };

static void line(struct progress progress, const char *wanted)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;

	progress.totals = &totals;
	progress_line(&progress, &out);
	assert_string_equal(strbuf_str(&out), wanted);
}

static void counts_and_names_are_shown(void **state)
{
	(void)state;
	line((struct progress){ .running = { { .id = "a" } }, .nr_running = 1 },
	     "[12/100] 10 passed 2 failed; a ...");
	line((struct progress){ .running = { { .id = "a" }, { .id = "b" }, { .id = "c" } },
				.nr_running = 5 },
	     "[12/100] 10 passed 2 failed; a, b, c and 2 more ...");
	line((struct progress){ .running = { { .id = "a" } },
				.nr_running = 1,
				.elapsed_ns = 41999999999 },
	     "[12/100] 41 s, 10 passed 2 failed; a ...");
	line((struct progress){ .running = { { .id = "a" } }, .nr_running = 1, .stopping = true },
	     "[12/100] 10 passed 2 failed; stopping, waiting for a ...");
}

static void exact_guests_show_both_times(void **state)
{
	(void)state;
	line((struct progress){ .running = { { .id = "a@5",
					       .status = { .exact = true,
							   .virtual_ns = 12000000000,
							   .wall_ns = 3100000000 } },
					     { .id = "b",
					       .status = { .virtual_ns = 7, .wall_ns = 9 } } },
				.nr_running = 2 },
	     "[12/100] 10 passed 2 failed; a@5 (virtual 12.00 s in 3.10 s), b ...");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_and_names_are_shown),
		cmocka_unit_test(exact_guests_show_both_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
