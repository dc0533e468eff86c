// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "ctprof/packer.h"

/* The text in a finished frame; the caller's to free. */
static char *unpack(const struct packer *p, size_t *ret_len)
{
	size_t size = 4 << 20, len;
	char *text = malloc(size);

	assert_non_null(text);
	len = ZSTD_decompress(text, size - 1, p->packed.data, p->packed.len);
	assert_false(ZSTD_isError(len));
	text[len] = '\0';
	*ret_len = len;
	return text;
}

static void check_number(int64_t value)
{
	char text[PACKER_NUMBER_BYTES + 1], expected[32];
	char *end = packer_put_number(text, value);

	assert_true(end - text <= PACKER_NUMBER_BYTES);
	*end = '\0';
	snprintf(expected, sizeof(expected), "%" PRId64, value);
	assert_string_equal(text, expected);
}

static void numbers_are_as_printf_writes_them(void **state)
{
	uint64_t power = 1;

	(void)state;
	check_number(INT64_MAX);
	check_number(INT64_MIN);
	check_number(INT64_MIN + 1);
	for (int64_t i = -1100; i < 1100; i++)
		check_number(i);
	for (int digits = 0; digits < 19; digits++, power *= 10) {
		check_number((int64_t)power);
		check_number((int64_t)power - 1);
		check_number(-(int64_t)power);
	}
}

static void texts_longer_than_the_buffer_come_back(void **state)
{
	static char long_text[3 * PACKER_BYTES + 17];
	_cleanup_free_ char *text = NULL;
	struct packer p;
	size_t len, at = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(long_text) - 1; i++)
		long_text[i] = (char)('a' + (i * i) % 23);
	assert_int_equal(packer_init(&p, 4 << 20), 0);
	packer_addstr(&p, long_text);
	for (int i = 0; i < 40000; i++) {
		packer_addch(&p, ',');
		packer_add_number(&p, i);
	}
	packer_addf(&p, "%s", "end");
	assert_int_equal(packer_finish(&p), 0);
	text = unpack(&p, &len);
	at = sizeof(long_text) - 1;
	assert_memory_equal(text, long_text, at);
	for (int i = 0; i < 40000; i++) {
		int n = 0, value = -1;

		assert_int_equal(sscanf(text + at, ",%d%n", &value, &n), 1);
		assert_int_equal(value, i);
		at += (size_t)n;
	}
	assert_string_equal(text + at, "end");
	packer_deinit(&p);
}

static void an_empty_text_is_a_frame(void **state)
{
	_cleanup_free_ char *text = NULL;
	struct packer p;
	size_t len;

	(void)state;
	assert_int_equal(packer_init(&p, 1), 0);
	assert_int_equal(packer_finish(&p), 0);
	text = unpack(&p, &len);
	assert_int_equal(len, 0);
	packer_deinit(&p);
	packer_deinit(&p);
}

static void the_limit_sticks(void **state)
{
	struct packer p;

	(void)state;
	assert_int_equal(packer_init(&p, 1000), 0);
	for (int i = 0; i < 100000; i++)
		packer_addstr(&p, "0123456789");
	assert_int_equal(p.error, -E2BIG);
	assert_int_equal(packer_finish(&p), -E2BIG);
	packer_deinit(&p);
	assert_int_equal(packer_init(&p, 1000), 0);
	for (int i = 0; i < 100; i++)
		packer_addstr(&p, "0123456789");
	assert_int_equal(packer_finish(&p), 0);
	packer_deinit(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_as_printf_writes_them),
		cmocka_unit_test(texts_longer_than_the_buffer_come_back),
		cmocka_unit_test(an_empty_text_is_a_frame),
		cmocka_unit_test(the_limit_sticks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
