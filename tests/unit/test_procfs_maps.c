// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/io.h"
#include "base/strbuf.h"
#include "ctprof/procfs.h"

static void lines_are_taken_apart(void **state)
{
	static const char text[] =
		"7f12a000-7f12b000 r-xp 00001000 fe:01 4711                       /lib/a b (deleted)\n"
		"garbage\n"
		"7f12b000-7f12a000 r--p 00000000 00:00 0 \n"
		"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n"
		"7f12c000-7f12d000 rw-p 00000000 00:00 0 ";
	struct span s = { text, sizeof(text) - 1 };
	struct procfs_map m;

	(void)state;
	assert_true(procfs_next_map(&s, &m));
	assert_true(m.start == 0x7f12a000 && m.end == 0x7f12b000 && m.offset == 0x1000);
	assert_true(m.dev_major == 0xfe && m.dev_minor == 1 && m.inode == 4711);
	assert_true(m.executable);
	assert_int_equal(m.path.len, strlen("/lib/a b (deleted)"));
	assert_memory_equal(m.path.at, "/lib/a b (deleted)", m.path.len);
	assert_true(procfs_next_map(&s, &m));
	assert_true(m.start == 0xffffffffff600000 && m.inode == 0);
	assert_true(procfs_next_map(&s, &m));
	assert_false(m.executable);
	assert_int_equal(m.path.len, 0);
	assert_false(procfs_next_map(&s, &m));
}

static void every_line_of_this_process_is_understood(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct procfs_map m;
	size_t lines = 0, taken = 0;
	struct span s;

	(void)state;
	assert_int_equal(io_read_file("/proc/self/maps", &text, NULL), 0);
	for (size_t i = 0; i < text.len; i++)
		lines += text.data[i] == '\n';
	s = (struct span){ text.data, text.len };
	while (procfs_next_map(&s, &m))
		taken++;
	assert_int_equal(taken, lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_taken_apart),
		cmocka_unit_test(every_line_of_this_process_is_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
