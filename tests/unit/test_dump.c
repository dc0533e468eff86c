// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sched/dump.h"

static const char trace[] = "# tracer: nop\n# sched_ext_dump: no line\n"
			    "  a-1 [000] d..1. 12.3: sched_ext_dump: CPU states\n"
			    "  a-1 [000] d..1. 12.3: sched_switch: a to b\n"
			    "  a-1 [000] d..1. 12.3: sched_ext_dump: \n"
			    "  a-1 [000] d..1. 12.3: sched_ext_dump: tab\t\001\n";

static void lines_of_the_dump_are_taken(void **state)
{
	struct strbuf out = STRBUF_INIT;

	(void)state;
	dump_extract(trace, sizeof(trace) - 1, 1000, &out);
	assert_string_equal(strbuf_str(&out), "CPU states\n\ntab\t?\n");
	strbuf_clear(&out);
	dump_extract(trace, sizeof(trace) - 1, 13, &out);
	assert_string_equal(strbuf_str(&out), "CPU states\n\n");
	strbuf_clear(&out);
	dump_extract("", 0, 1000, &out);
	assert_int_equal(out.len, 0);
	strbuf_deinit(&out);
}

static void no_tracer_is_fine(void **state)
{
	struct strbuf out = STRBUF_INIT;
	struct dump dump;

	(void)state;
	dump_open(&dump, "/nowhere");
	assert_string_equal(dump.dir, "");
	dump_clear(&dump);
	dump_read(&dump, 1000, &out);
	assert_int_equal(out.len, 0);
	dump_close(&dump);
	strbuf_deinit(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_of_the_dump_are_taken),
		cmocka_unit_test(no_tracer_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
