// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io.h"
#include "base/lines.h"

static int file_of(const char *bytes, size_t len)
{
	int fd = memfd_create("lines", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(io_write_all(fd, bytes, len), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void lines_have_places(void **state)
{
	static const char bytes[] = "one\n\nth\0ee\nrest";
	int fd = file_of(bytes, sizeof(bytes) - 1);
	struct lines lines;
	struct line line;

	(void)state;
	lines_init(&lines, fd, 100);
	assert_int_equal(lines_next(&lines, &line), 1);
	assert_string_equal(line.text, "one");
	assert_true(line.whole && !line.too_long);
	assert_int_equal(line.offset, 0);
	assert_int_equal(line.number, 1);
	assert_int_equal(lines_next(&lines, &line), 1);
	assert_int_equal(line.len, 0);
	assert_int_equal(line.offset, 4);
	assert_int_equal(lines_next(&lines, &line), 1);
	assert_int_equal(line.len, 5);
	assert_memory_equal(line.text, "th\0ee", 6);
	assert_int_equal(lines_next(&lines, &line), 1);
	assert_string_equal(line.text, "rest");
	assert_false(line.whole);
	assert_int_equal(line.offset, 11);
	assert_int_equal(line.number, 4);
	assert_int_equal(lines_next(&lines, &line), 0);
	assert_int_equal(lines_next(&lines, &line), 0);
	lines_deinit(&lines);
	close(fd);
}

static void nothing_has_no_lines(void **state)
{
	int fd = file_of("", 0);
	struct lines lines;
	struct line line;

	(void)state;
	lines_init(&lines, fd, 100);
	assert_int_equal(lines_next(&lines, &line), 0);
	lines_deinit(&lines);
	close(fd);
}

/* Around every multiple of what is read at once, and around the limit. */
static void long_lines_are_counted_not_kept(void **state)
{
	static const size_t sizes[] = { 99,    100,    101,    65535,  65536,
					65537, 131071, 131072, 131073, 1 << 20 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t len = sizes[i];
		char *bytes = malloc(len + 6);
		struct lines lines;
		struct line line;
		int fd;

		memset(bytes, 'x', len);
		memcpy(bytes + len, "\nnext\n", 6);
		fd = file_of(bytes, len + 6);
		lines_init(&lines, fd, 100);
		assert_int_equal(lines_next(&lines, &line), 1);
		assert_int_equal(line.too_long, len > 100);
		assert_int_equal(line.text == NULL, len > 100);
		assert_int_equal(line.len, len);
		assert_true(line.whole);
		assert_int_equal(lines_next(&lines, &line), 1);
		assert_string_equal(line.text, "next");
		assert_int_equal(line.offset, len + 1);
		assert_int_equal(lines_next(&lines, &line), 0);
		assert_true(lines.buf.size <= (size_t)4 * 65536);
		lines_deinit(&lines);
		close(fd);
		free(bytes);
	}
}

static void a_long_rest_is_not_whole(void **state)
{
	char bytes[300];
	struct lines lines;
	struct line line;
	int fd;

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	fd = file_of(bytes, sizeof(bytes));
	lines_init(&lines, fd, 100);
	assert_int_equal(lines_next(&lines, &line), 1);
	assert_true(line.too_long && !line.whole);
	assert_int_equal(line.len, 300);
	assert_int_equal(lines_next(&lines, &line), 0);
	lines_deinit(&lines);
	close(fd);
}

static void a_broken_file_says_so(void **state)
{
	struct lines lines;
	struct line line;

	(void)state;
	lines_init(&lines, -1, 100);
	assert_int_equal(lines_next(&lines, &line), -EBADF);
	lines_deinit(&lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_have_places),
		cmocka_unit_test(nothing_has_no_lines),
		cmocka_unit_test(long_lines_are_counted_not_kept),
		cmocka_unit_test(a_long_rest_is_not_whole),
		cmocka_unit_test(a_broken_file_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
