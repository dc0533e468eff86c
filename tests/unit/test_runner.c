// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/runner.h"

static void again(const struct settings *settings, const char *wanted)
{
	char *line = runner_again("./my tests", "t", settings);

	assert_non_null(line);
	assert_string_equal(line, wanted);
	free(line);
}

static void the_line_repeats_what_matters(void **state)
{
	(void)state;
	again(&(struct settings){ 0 }, "'./my tests' -t t");
	again(&(struct settings){ .topology_text = "1n1l2c1t",
				  .kernel_spec = "it's",
				  .qemu_path = "/opt/q",
				  .memory_bytes = 1 << 20,
				  .test_timeout_ns = 5,
				  .keep = true },
	      "'./my tests' -t t --topology 1n1l2c1t --kernel 'it'\\''s' --qemu /opt/q "
	      "--memory 1048576 --test-timeout 5ns");
	again(&(struct settings){ .kernel_spec = "" }, "'./my tests' -t t --kernel ''");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_line_repeats_what_matters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
