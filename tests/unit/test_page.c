// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ctprof/page.h"

static void html_is_that_text(void **state)
{
	static const struct {
		const char *text, *html;
	} rows[] = {
		{ "plain", "plain" },
		{ "</script><img onerror='x' src=\"y\">&amp;",
		  "&lt;/script&gt;&lt;img onerror=&#39;x&#39; src=&quot;y&quot;&gt;&amp;amp;" },
		{ "k\xc3\xbchl", "k\xc3\xbchl" },
		{ "\xff\x1b[31m\n", "\\xff\\x1b[31m\\x0a" },
		{ "a\xe2\x80\xae"
		  "gnp.exe",
		  "a\\u202egnp.exe" },
		{ "\xef\xbb\xbf", "\\ufeff" },
		{ "\xc2\x85", "\\u0085" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;

		page_add_html(&out, rows[i].text);
		assert_string_equal(strbuf_str(&out), rows[i].html);
	}
}

static void json_cannot_end_its_script(void **state)
{
	static const struct {
		const char *text, *json;
	} rows[] = {
		{ "plain", "\"plain\"" },
		{ "</script><!--&", "\"\\u003c/script\\u003e\\u003c!--\\u0026\"" },
		{ "a\"b\\c", "\"a\\\"b\\\\c\"" },
		{ "\xff\n\x7f", "\"\\\\xff\\\\x0a\\\\x7f\"" },
		{ "\xe2\x80\xa8", "\"\\\\u2028\"" },
		{ "a\xf3\xa0\x81\x81", "\"a\\\\ue0041\"" }, /* a tag */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;

		page_add_json(&out, rows[i].text);
		assert_string_equal(strbuf_str(&out), rows[i].json);
	}
}

/* RFC 4648, section 10. */
static void base64_of_the_standard(void **state)
{
	static const char *const rows[][2] = { { "", "" },
					       { "f", "Zg==" },
					       { "fo", "Zm8=" },
					       { "foo", "Zm9v" },
					       { "foob", "Zm9vYg==" },
					       { "fooba", "Zm9vYmE=" },
					       { "foobar", "Zm9vYmFy" } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;

		page_add_base64(&out, (const unsigned char *)rows[i][0], strlen(rows[i][0]));
		assert_string_equal(strbuf_str(&out), rows[i][1]);
	}
}

static void what_is_put_in_is_not_expanded(void **state)
{
	static const struct page_part parts[] = { { "A", "{{B}}{{" }, { "B", "x" } };
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;

	(void)state;
	assert_int_equal(page_expand("<{{A}}|{{B}}>{{", parts, 2, &out), 0);
	assert_string_equal(strbuf_str(&out), "<{{B}}{{|x>{{");
}

static void an_unknown_part_is_refused(void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;

	(void)state;
	assert_int_equal(page_expand("{{C}}", NULL, 0, &out), -EINVAL);
	assert_int_equal(page_build(NULL, 0, &out), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(html_is_that_text),
		cmocka_unit_test(json_cannot_end_its_script),
		cmocka_unit_test(base64_of_the_standard),
		cmocka_unit_test(what_is_put_in_is_not_expanded),
		cmocka_unit_test(an_unknown_part_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
