// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guest/fwcfg.h"

enum { ENTRIES = 3, ENTRY = 64 };

#define LONG_NAME "opt/0123456789012345678901234567890123456789012345678901" /* 56 */

static uint8_t directory[4 + ENTRIES * ENTRY];

static void put_entry(int i, uint32_t size, uint16_t key, const char *name)
{
	uint8_t *e = directory + 4 + i * ENTRY;

	memset(e, 0, ENTRY);
	for (int b = 0; b < 4; b++)
		e[b] = (uint8_t)(size >> (24 - 8 * b));
	e[4] = (uint8_t)(key >> 8);
	e[5] = (uint8_t)key;
	memcpy(e + 8, name, strlen(name));
}

static int set_up(void **state)
{
	(void)state;
	memset(directory, 0, sizeof(directory));
	directory[3] = ENTRIES;
	put_entry(0, 7, 0x20, "opt/ktstr/jobs");
	put_entry(1, 0x01020304, 0x1234, "opt/ktstr/job");
	put_entry(2, 9, 0x30, LONG_NAME);
	return 0;
}

static void the_whole_name_counts(void **state)
{
	struct fwcfg_file file;

	(void)state;
	assert_int_equal(fwcfg_find(directory, sizeof(directory), "opt/ktstr/job", &file), 0);
	assert_int_equal(file.key, 0x1234);
	assert_int_equal(file.size, 0x01020304);
	assert_int_equal(fwcfg_find(directory, sizeof(directory), "opt/ktstr/jo", &file), -ENOENT);
	assert_int_equal(fwcfg_find(directory, sizeof(directory), "", &file), -ENOENT);
}

static void a_name_without_terminator_is_no_trouble(void **state)
{
	struct fwcfg_file file;

	(void)state;
	assert_int_equal(fwcfg_find(directory, sizeof(directory), LONG_NAME, &file), 0);
	assert_int_equal(file.key, 0x30);
}

static void counts_beyond_the_bytes_are_refused(void **state)
{
	struct fwcfg_file file;

	(void)state;
	directory[3] = ENTRIES + 1;
	assert_int_equal(fwcfg_find(directory, sizeof(directory), "x", &file), -EINVAL);
	directory[0] = 0xff;
	assert_int_equal(fwcfg_find(directory, sizeof(directory), "x", &file), -EINVAL);
	assert_int_equal(fwcfg_find(directory, 3, "x", &file), -EINVAL);
	memset(directory, 0, 4);
	assert_int_equal(fwcfg_find(directory, 4, "x", &file), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_whole_name_counts, set_up),
		cmocka_unit_test_setup(a_name_without_terminator_is_no_trouble, set_up),
		cmocka_unit_test_setup(counts_beyond_the_bytes_are_refused, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
