// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/settings.h"

static struct ktstr_error err;

static int parse(struct settings *settings, const char *const *words)
{
	char *argv[16];
	int argc = 0;

	argv[argc++] = (char *)"prog";
	for (; *words; words++)
		argv[argc++] = (char *)*words;
	argv[argc] = NULL;
	return settings_parse(argc, argv, settings, &err);
}

#define PARSE(settings, ...) parse(settings, (const char *const[]){ __VA_ARGS__, NULL })

static void values_are_read(void **state)
{
	struct settings s;

	(void)state;
	assert_int_equal(PARSE(&s, "-t", "a", "--topology", "1n2l2c1t", "--memory", "1G",
			       "--timeout", "90", "--test-timeout", "5ms", "--color", "always",
			       "b"),
			 0);
	assert_int_equal(s.patterns.nr, 2);
	assert_string_equal(s.patterns.items[0], "a");
	assert_string_equal(s.patterns.items[1], "b");
	assert_true(s.has_topology);
	assert_int_equal(s.topology.llcs, 2);
	assert_int_equal(s.memory_bytes, 1 << 30);
	assert_int_equal(s.run_timeout_ns, 90000000000);
	assert_int_equal(s.test_timeout_ns, 5000000);
	assert_true(s.color);
	assert_false(s.keep || s.json || s.list || s.help);
}

static void nothing_said_is_the_default(void **state)
{
	struct settings s;

	(void)state;
	assert_int_equal(parse(&s, (const char *const[]){ NULL }), 0);
	assert_false(s.has_topology);
	assert_null(s.kernel_spec);
	assert_int_equal(s.patterns.nr, 0);
	assert_int_equal(s.run_timeout_ns, 0);
}

static void nonsense_is_refused(void **state)
{
	struct settings s;

	(void)state;
	assert_int_equal(PARSE(&s, "--topology", "0n0l0c0t"), -EINVAL);
	assert_int_equal(PARSE(&s, "--topology", "9n9l9c9t"), -EINVAL);
	assert_int_equal(PARSE(&s, "--color", "red"), -EINVAL);
	assert_int_equal(PARSE(&s, "--nope"), -EINVAL);
	assert_non_null(strstr(err.text, "'--nope'"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_read),
		cmocka_unit_test(nothing_said_is_the_default),
		cmocka_unit_test(nonsense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
