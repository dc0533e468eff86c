// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run/result.h"
#include "run/run_line.h"

static void expect(const struct settings *settings, json_t *wanted)
{
	char *ids[] = { (char *)"a@1", (char *)"a@2" };
	struct plan_item item = { .id = ids[1] };
	const struct plan plan = { .items = &item, .nr = 1, .all_ids = ids, .nr_all = 2 };
	json_t *line = run_line(settings, &plan, "p");

	assert_non_null(wanted);
	if (!json_equal(line, wanted))
		fail_msg("%s", json_dumps(line, 0));
	json_decref(line);
	json_decref(wanted);
}

static void it_says_what_was_asked_for(void **state)
{
	struct settings settings = { .mode = MACHINE_EXACT,
				     .first_seed = 1,
				     .last_seed = 2,
				     .repetitions = 1,
				     .perturb = PERTURB_HEAVY };

	(void)state;
	expect(&settings, json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:i, s:s, s:[s,s]}", "type",
				    "run", "version", RESULT_VERSION, "ktstr", KTSTR_VERSION,
				    "program", "p", "mode", "exact", "seeds", "1..2", "repetitions",
				    1, "perturb", "heavy", "all", "a@1", "a@2"));
	settings.partition_text = "hash:1/2";
	settings.last_seed = 1;
	expect(&settings,
	       json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:i, s:s, s:[s,s], s:s, s:[s]}", "type",
			 "run", "version", RESULT_VERSION, "ktstr", KTSTR_VERSION, "program", "p",
			 "mode", "exact", "seeds", "1", "repetitions", 1, "perturb", "heavy", "all",
			 "a@1", "a@2", "partition", "hash:1/2", "plan", "a@2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_says_what_was_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
