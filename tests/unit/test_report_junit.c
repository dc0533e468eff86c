// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/report.h"

static struct strbuf out = STRBUF_INIT;

static int clear(void **state)
{
	(void)state;
	strbuf_deinit(&out);
	return 0;
}

static void text_is_escaped(void **state)
{
	struct result result = {
		.name = (char *)"t",
		.verdict = KTSTR_FAIL,
		.end = "checks",
		.reasons = (char *)"a < b && \"c\"\n  seen > 1",
		.folder = (char *)"/x/\x01<y>",
		.duration_ns = 1234567890,
	};

	(void)state;
	junit_case(&out, "p&q", &result);
	assert_string_equal(
		strbuf_str(&out),
		"  <testcase classname=\"p&amp;q\" name=\"t\" time=\"1.234\">"
		"<failure message=\"a &lt; b &amp;&amp; &quot;c&quot;\" type=\"checks\">"
		"a &lt; b &amp;&amp; &quot;c&quot;&#10;  seen &gt; 1"
		"&#10;files: /x/\\x01&lt;y&gt;</failure></testcase>\n");
}

static void one(enum ktstr_verdict verdict, const char *wanted)
{
	struct result result = {
		.name = (char *)"t", .verdict = verdict, .end = "x", .reasons = (char *)"why"
	};

	strbuf_clear(&out);
	junit_case(&out, "p", &result);
	if (!strstr(strbuf_str(&out), wanted))
		fail_msg("'%s' is not in: %s", wanted, strbuf_str(&out));
}

static void every_verdict_has_its_element(void **state)
{
	(void)state;
	one(KTSTR_PASS, "time=\"0.000\"></testcase>");
	one(KTSTR_FAIL, "<failure message=\"why\" type=\"x\">why</failure>");
	one(KTSTR_ERROR, "<error message=\"why\" type=\"x\">why</error>");
	one(KTSTR_SKIP, "<skipped message=\"why\"/>");
	one(KTSTR_UNDECIDED, "<skipped message=\"UNDECIDED: why\"/>");
}

static void notes_and_values_are_attached(void **state)
{
	struct result result = {
		.name = (char *)"t",
		.verdict = KTSTR_PASS,
		.notes = json_pack("[s]", "n<1>"),
		.values = json_pack("[{s:s,s:f,s:s}]", "name", "v", "value", 2.5, "unit", "ns"),
	};

	(void)state;
	junit_case(&out, "p", &result);
	assert_non_null(strstr(strbuf_str(&out),
			       "<system-out>v = 2.5 ns&#10;n&lt;1&gt;&#10;</system-out>"));
	json_decref(result.notes);
	json_decref(result.values);
}

static void sums_are_right(void **state)
{
	struct totals totals = {
		.counts = { [KTSTR_PASS] = 1,
			    [KTSTR_FAIL] = 2,
			    [KTSTR_ERROR] = 3,
			    [KTSTR_SKIP] = 4,
			    [KTSTR_UNDECIDED] = 5 },
		.duration_ns = 2000000000,
	};

	(void)state;
	junit_document(&out, "p", &totals, "CASES");
	assert_string_equal(strbuf_str(&out),
			    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
			    "<testsuite name=\"p\" tests=\"15\" failures=\"2\" errors=\"3\" "
			    "skipped=\"9\" time=\"2.000\">\nCASES</testsuite>\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(text_is_escaped, clear),
		cmocka_unit_test_teardown(every_verdict_has_its_element, clear),
		cmocka_unit_test_teardown(notes_and_values_are_attached, clear),
		cmocka_unit_test_teardown(sums_are_right, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
