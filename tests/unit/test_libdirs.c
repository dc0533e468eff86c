// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/scratch.h"
#include "vm/closure.h"

static struct scratch scratch;

static void folders_come_in_order_without_repeats(void **state)
{
	struct library_dirs dirs = { 0 };

	(void)state;
	scratch_text(&scratch, "conf",
		     "# /comment\n/a\n\t/b # more\nrelative\n/c=libc6\r\n"
		     "include conf.d/*.conf missing/*.conf\n/a\nhwcap 0 x\nincludes/x\n/last");
	scratch_text(&scratch, "conf.d/2.conf", "/e\n");
	scratch_text(&scratch, "conf.d/1.conf", "/d\ninclude ../conf\n");
	assert_int_equal(library_dirs_read(&dirs, scratch_path(&scratch, "conf"), NULL), 0);
	assert_int_equal(dirs.nr, 6);
	assert_string_equal(dirs.dirs[0], "/a");
	assert_string_equal(dirs.dirs[1], "/b");
	assert_string_equal(dirs.dirs[2], "/c");
	assert_string_equal(dirs.dirs[3], "/d");
	/* The circle reads the rest of the file once more, before its second include. */
	assert_true(!strcmp(dirs.dirs[4], "/e") || !strcmp(dirs.dirs[5], "/e"));
	library_dirs_deinit(&dirs);
	assert_int_equal(dirs.nr, 0);
}

static void missing_files_name_nothing(void **state)
{
	struct library_dirs dirs = { 0 };

	(void)state;
	assert_int_equal(library_dirs_read(&dirs, "/nowhere/conf", NULL), 0);
	assert_int_equal(dirs.nr, 0);
}

static void the_number_of_folders_is_limited(void **state)
{
	struct library_dirs dirs = { 0 };
	char text[16384] = "";
	size_t len = 0;

	(void)state;
	for (int i = 0; i < CLOSURE_DIRS_MAX + 10; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "/d%d\n", i);
	scratch_text(&scratch, "conf", text);
	assert_int_equal(library_dirs_read(&dirs, scratch_path(&scratch, "conf"), NULL), 0);
	assert_int_equal(dirs.nr, CLOSURE_DIRS_MAX);
	library_dirs_deinit(&dirs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(folders_come_in_order_without_repeats, scratch),
		SCRATCH_TEST(missing_files_name_nothing, scratch),
		SCRATCH_TEST(the_number_of_folders_is_limited, scratch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
