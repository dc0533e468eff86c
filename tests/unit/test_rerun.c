// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/rerun.h"

static const struct ktstr_entry entry = { .name = "t" };
static const struct plan_item item = { .entry = &entry, .seed = 5 };

static void again(const char *mode, struct settings settings, const char *wanted)
{
	char *line = rerun_line(&(struct rerun_opts){
		.command = "./my tests", .settings = &settings, .item = &item, .mode = mode });

	assert_non_null(line);
	assert_string_equal(line, wanted);
	free(line);
}

#define DEFAULTS .first_seed = 1, .last_seed = 1, .perturb = PERTURB_LIGHT

static void the_line_repeats_what_matters(void **state)
{
	(void)state;
	again("host", (struct settings){ DEFAULTS }, "'./my tests' -t t");
	again("host",
	      (struct settings){ .topology_text = "1n1l2c1t",
				 .kernel_spec = "it's",
				 .qemu_path = "/opt/q",
				 .memory_bytes = 1 << 20,
				 .kernel_args = "a=1 b",
				 .test_timeout_ns = 5,
				 .keep = true,
				 DEFAULTS },
	      "'./my tests' -t t --topology 1n1l2c1t --kernel 'it'\\''s' --qemu /opt/q "
	      "--kernel-args 'a=1 b' --memory 1048576 --test-timeout 5ns");
	again("host", (struct settings){ .kernel_spec = "", DEFAULTS },
	      "'./my tests' -t t --kernel ''");
}

static void a_guest_is_a_function_of_more(void **state)
{
	(void)state;
	again("exact", (struct settings){ DEFAULTS },
	      "'./my tests' -t t --seed 5 --mode exact --perturb light");
	again("live",
	      (struct settings){ .wall_limit_ns = 7,
				 .no_template = true,
				 .first_seed = 1,
				 .last_seed = 9,
				 .perturb = PERTURB_HEAVY },
	      "'./my tests' -t t --seed 5 --mode live --perturb heavy --wall-limit 7ns "
	      "--no-template");
	/* No machine could be had. */
	again("", (struct settings){ .mode = MACHINE_EXACT, DEFAULTS },
	      "'./my tests' -t t --seed 5 --mode exact --perturb light");
}

static void a_seed_is_named_if_it_was_chosen(void **state)
{
	(void)state;
	again("host", (struct settings){ .first_seed = 5, .last_seed = 5, .perturb = PERTURB_OFF },
	      "'./my tests' -t t --seed 5 --perturb off");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_line_repeats_what_matters),
		cmocka_unit_test(a_guest_is_a_function_of_more),
		cmocka_unit_test(a_seed_is_named_if_it_was_chosen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
