// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ktstr/ctprof_render.h>

#include "base/cleanup.h"
#include "tests/lib/made_snapshot.h"

static size_t commas_outside_quotes(const char *line)
{
	bool quoted = false;
	size_t nr = 0;

	for (; *line && *line != '\r'; line++) {
		quoted ^= *line == '"';
		nr += *line == ',' && !quoted;
	}
	return nr;
}

static void lines_have_the_fields_of_the_heading(void **state)
{
	static const struct ktstr_ctprof_compare_opts opts = { .group_by =
								       KTSTR_CTPROF_BY_PROCESS };
	_cleanup_ctprof_comparison_ struct ktstr_ctprof_comparison *c = NULL;
	_cleanup_free_ char *text = NULL;
	struct made_pair *m = *state;
	char long_text[1000] = "";
	size_t fields;

	made_put(m->a, made_thread(m->a, 1, 1, "a,\"b\"\x01", "t", "/"), KTSTR_CTPROF_RUN_TIME,
		 1000);
	made_put(m->b, made_thread(m->b, 1, 1, "a,\"b\"\x01", "t", "/"), KTSTR_CTPROF_RUN_TIME,
		 1500);
	for (size_t i = 0; i < sizeof(long_text) - 1; i++)
		long_text[i] = (char)('a' + i % 26);
	made_host_text(m->a, KTSTR_CTPROF_HOST_TEXT_CMDLINE, long_text);
	made_host_put(m->a, KTSTR_CTPROF_HOST_UPTIME, 1234567890123456789);
	((struct ktstr_ctprof_thread *)made_snapshot(m->b)->threads)
		->texts[KTSTR_CTPROF_TEXT_CPU_AFFINITY] = "0-3,8";
	c = made_compare(m->a, m->b, &opts);
	assert_int_equal(ktstr_ctprof_render_csv(c, &text, NULL), 0);
	fields = commas_outside_quotes(text);
	assert_int_equal(fields, 17);
	for (const char *line = text; *line; line = strchr(line, '\n') + 1)
		assert_int_equal(commas_outside_quotes(line), fields);
	assert_non_null(strstr(text,
			       "process,\"a,\"\"b\"\"\\x01\",,1,1,run_time_ns,ns,1000,1500,500,"
			       "500,50,1,1,1,1,1,\r\n"));
	assert_non_null(strstr(text, ",cpu_affinity,,,\"0-3,8\",,,,,0,1,1,1,\r\n"));
	assert_non_null(strstr(text, ",uptime_ns,ns,1234567890123456789,"));
	assert_non_null(strstr(text, long_text));
	assert_null(strstr(text, "wait_time_ns"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		MADE_TEST(lines_have_the_fields_of_the_heading),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
