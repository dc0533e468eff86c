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
	char *argv[32];
	int argc = 0;

	argv[argc++] = (char *)"prog";
	for (; *words; words++) {
		assert_true(argc < 31);
		argv[argc++] = (char *)*words;
	}
	argv[argc] = NULL;
	return settings_parse(argc, argv, settings, &err);
}

#define PARSE(settings, ...) parse(settings, (const char *const[]){ __VA_ARGS__, NULL })

static void values_are_read(void **state)
{
	struct settings s;

	(void)state;
	assert_int_equal(PARSE(&s, "-t", "a", "--topology", "1n2l2c1t", "--memory", "1G",
			       "--kernel-args", "isolcpus=1", "--timeout", "90", "--test-timeout",
			       "5ms", "--color", "always", "b"),
			 0);
	assert_int_equal(s.patterns.nr, 2);
	assert_string_equal(s.patterns.items[0], "a");
	assert_string_equal(s.patterns.items[1], "b");
	assert_true(s.has_topology);
	assert_int_equal(s.topology.llcs, 2);
	assert_int_equal(s.memory_bytes, 1 << 30);
	assert_string_equal(s.kernel_args, "isolcpus=1");
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
	assert_int_equal(PARSE(&s, "--kernel-args", "a=1 console=tty1"), -EINVAL);
	assert_int_equal(PARSE(&s, "--nope"), -EINVAL);
	assert_non_null(strstr(err.text, "'--nope'"));
}

static void many_runs_are_read(void **state)
{
	struct settings s;

	(void)state;
	assert_int_equal(PARSE(&s, "--mode", "exact", "--seeds", "3..9", "--repeat", "4",
			       "--perturb", "heavy", "-j8", "--partition", "hash:2/3"),
			 0);
	assert_int_equal(s.mode, MACHINE_EXACT);
	assert_int_equal(s.perturb, PERTURB_HEAVY);
	assert_int_equal(s.first_seed, 3);
	assert_int_equal(s.last_seed, 9);
	assert_int_equal(s.repetitions, 4);
	assert_int_equal(s.jobs, 8);
	assert_int_equal(s.shard.partition, PLAN_HASH);
	assert_int_equal(PARSE(&s, "--seed", "9223372036854775807", "--wall-limit", "2m",
			       "--fail-fast", "--no-template", "--console"),
			 0);
	assert_int_equal(s.first_seed, INT64_MAX);
	assert_int_equal(s.last_seed, INT64_MAX);
	assert_int_equal(s.wall_limit_ns, 120000000000);
	assert_true(s.fail_fast && s.no_template && s.console);
	assert_int_equal(s.jobs, 1);
	assert_int_equal(PARSE(&s, "x"), 0);
	assert_int_equal(s.mode, MACHINE_AUTO);
	assert_int_equal(s.perturb, PERTURB_LIGHT);
	assert_int_equal(s.first_seed, 1);
	assert_int_equal(s.last_seed, 1);
	assert_int_equal(s.repetitions, 1);
	assert_int_equal(s.jobs, 0);
	assert_int_equal(s.shard.partition, PLAN_WHOLE);
	assert_string_equal(settings_mode_word(MACHINE_LIVE), "live");
}

#define REFUSED(why, ...)                                                \
	do {                                                             \
		struct settings refused;                                 \
                                                                         \
		assert_int_equal(PARSE(&refused, __VA_ARGS__), -EINVAL); \
		if (!strstr(err.text, why))                              \
			fail_msg("'%s' is not in: %s", why, err.text);   \
	} while (0)

static void nonsense_of_many_is_refused(void **state)
{
	(void)state;
	REFUSED("'slow': it is auto, live or exact", "--mode", "slow");
	REFUSED("'no': it is off, light or heavy", "--perturb", "no");
	REFUSED("one or many", "--seed", "1", "--seeds", "3");
	REFUSED("0 to 9223372036854775807", "--seed", "9223372036854775808");
	REFUSED("0 to 9223372036854775807", "--seed", "-1");
	REFUSED("from 1 to 1000000", "--repeat", "0");
	REFUSED("from 1 to 1024", "--jobs", "0");
	REFUSED("from 1 to 1024", "-j", "1025");
	REFUSED("first shard is 1", "--partition", "slice:0/2");
	REFUSED("N for 1..N", "--seeds", "some");
	REFUSED("one guest at a time", "--console", "-j2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_read),
		cmocka_unit_test(nothing_said_is_the_default),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(many_runs_are_read),
		cmocka_unit_test(nonsense_of_many_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
