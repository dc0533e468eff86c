// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/check_variants.h"

static const struct ktstr_scheduler links = {
	.name = "s",
	.binary = "/s",
	.args = { "--own" },
	.flags = { { .name = "a", .args = { "-a", "1" } },
		   { .name = "b", .args = { "-b" }, .requires = { "a" } },
		   { .name = "c", .args = { "-c" }, .excludes = { "b" } } },
};

static void only_valid_ones_are_there(void **unused)
{
	static const char *const names[] = { "plain", "a", "a+b", "c", "a+c" };
	struct check_variant *list;
	struct ktstr_error err;

	(void)unused;
	assert_int_equal(check_variants(&links, &list, &err), 5);
	for (size_t i = 0; i < 5; i++)
		assert_string_equal(list[i].name, names[i]);
	free(list);
}

static void arguments_follow_its_own(void **unused)
{
	static const char *const args[] = { "--own", "-a", "1", "-b" };
	struct check_variant *list;
	struct ktstr_error err;

	(void)unused;
	assert_int_equal(check_variants(&links, &list, &err), 5);
	assert_string_equal(list[0].scheduler.args[0], "--own");
	assert_null(list[0].scheduler.args[1]);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(list[2].scheduler.args[i], args[i]);
	assert_null(list[2].scheduler.args[4]);
	free(list);
}

static void flags_that_are_none_are_refused(void **unused)
{
	const struct ktstr_scheduler none = { .name = "s" };
	struct ktstr_scheduler wrong = links;
	struct check_variant *list;
	struct ktstr_error err;

	(void)unused;
	assert_int_equal(check_variants(&none, &list, &err), -EINVAL);
	wrong.flags[1].requires[0] = "aa";
	assert_int_equal(check_variants(&wrong, &list, &err), -EINVAL);
	assert_non_null(strstr(err.text, "there is no flag 'aa'"));
}

static void too_many_arguments_are_refused(void **unused)
{
	struct ktstr_scheduler wide = links;
	struct check_variant *list;
	struct ktstr_error err;

	(void)unused;
	for (size_t i = 0; i < KTSTR_SCHEDULER_ARGS - 2; i++)
		wide.args[i] = "x";
	assert_int_equal(check_variants(&wide, &list, &err), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_valid_ones_are_there),
		cmocka_unit_test(arguments_follow_its_own),
		cmocka_unit_test(flags_that_are_none_are_refused),
		cmocka_unit_test(too_many_arguments_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
