// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <ktstr/error.h>

static void set_returns_code_and_text(void **state)
{
	struct ktstr_error err = { 0 };

	(void)state;
	assert_int_equal(ktstr_error_set(&err, -ENOENT, "open '%s'", "x"), -ENOENT);
	assert_int_equal(err.code, -ENOENT);
	assert_string_equal(err.text, "open 'x'");
	assert_int_equal(ktstr_error_set(NULL, -EIO, "nobody listens"), -EIO);
}

static void wrap_puts_context_in_front(void **state)
{
	struct ktstr_error err = { 0 };

	(void)state;
	ktstr_error_set(&err, -ENOENT, "open 'x': no such file");
	assert_int_equal(ktstr_error_wrap(&err, -EIO, "boot '%s'", "k"), -EIO);
	assert_int_equal(err.code, -EIO);
	assert_string_equal(err.text, "boot 'k': open 'x': no such file");
	assert_int_equal(ktstr_error_wrap(NULL, -EIO, "nobody listens"), -EIO);
}

static void long_texts_end_in_dots(void **state)
{
	struct ktstr_error err = { 0 };
	char big[2000];

	(void)state;
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	ktstr_error_set(&err, -EIO, "%s", big);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_string_equal(err.text + strlen(err.text) - 4, "a...");
	ktstr_error_wrap(&err, -EIO, "outer");
	assert_memory_equal(err.text, "outer: aaa", 10);
	assert_string_equal(err.text + strlen(err.text) - 3, "...");
	ktstr_error_wrap(&err, -EIO, "%s", big);
	assert_string_equal(err.text + strlen(err.text) - 4, "a...");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_returns_code_and_text),
		cmocka_unit_test(wrap_puts_context_in_front),
		cmocka_unit_test(long_texts_end_in_dots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
