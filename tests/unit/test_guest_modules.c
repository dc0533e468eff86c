// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guest/modules.h"
#include "tests/lib/scratch.h"

static struct ktstr_error err;

static void no_folder_is_no_work(void **state)
{
	struct scratch s;

	(void)state;
	assert_int_equal(modules_load("/nonexistent/modules", &err), 0);
	scratch_create(&s);
	scratch_text(&s, "README", "no module\n");
	assert_int_equal(modules_load(s.dir, &err), 0);
	scratch_destroy(&s);
}

/* Refused with or without the right to load modules. */
static void the_first_bad_module_is_named(void **state)
{
	struct scratch s;

	(void)state;
	scratch_create(&s);
	scratch_text(&s, "02-second.ko", "this is no module either\n");
	scratch_text(&s, "01-first.ko", "this is no module\n");
	assert_true(modules_load(s.dir, &err) < 0);
	assert_non_null(strstr(err.text, "load module '01-first.ko'"));
	scratch_destroy(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_folder_is_no_work),
		cmocka_unit_test(the_first_bad_module_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
