// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "scenario/engine_private.h"

static void kicks(void **state)
{
	static const char text[] =
		"           CPU0       CPU2       CPU3\n"
		"  0:         44          0          0   IO-APIC   2-edge  timer\n"
		"RES:       1001         22          3   Rescheduling interrupts\n"
		"CAL:          1          2          4   Function call interrupts\n";
	static struct engine_cpu cpus[ENGINE_CPUS];

	(void)state;
	assert_int_equal(engine_kicks_parse(text, cpus), 0);
	assert_int_equal(cpus[0].kicks, 1001);
	assert_int_equal(cpus[2].kicks, 22);
	assert_int_equal(cpus[3].kicks, 3);
	assert_true(cpus[3].has_kicks);
	/* Off line: not known, and not zero. */
	assert_false(cpus[1].has_kicks);
}

static void junk(void **state)
{
	static const struct {
		const char *text;
		int result;
	} rows[] = {
		{ "", -ENODATA },
		{ "  CPU0\n  0: 1 x\n", -ENODATA },
		{ "  CPU0 CPU1\nRES: 1\n", -EINVAL },
		{ "  CPU0\nRES: x\n", -EINVAL },
		{ "  CPU999\nRES: 1\n", -EINVAL },
		{ "no CPUs here\nRES: 1\n", -EINVAL },
		{ "RES:", -ENODATA },
		{ "  CPU0\nRES:", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		static struct engine_cpu cpus[ENGINE_CPUS];

		assert_int_equal(engine_kicks_parse(rows[i].text, cpus), rows[i].result);
	}
}

static void names(void **state)
{
	(void)state;
	assert_true(engine_is_below("a/b", "a"));
	assert_true(engine_is_below("a", "a"));
	assert_true(engine_is_below("a", ""));
	assert_false(engine_is_below("ab", "a"));
	assert_false(engine_is_below("a", "a/b"));
	assert_false(engine_is_below("", "a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kicks),
		cmocka_unit_test(junk),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
