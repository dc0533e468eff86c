// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"

static int make_folder(void **state)
{
	char *folder = strdup("/tmp/ktstr-path-XXXXXX");

	if (!folder || !mkdtemp(folder))
		return -1;
	*state = folder;
	return 0;
}

static int remove_folder(void **state)
{
	int r = path_remove_tree(*state, NULL);

	free(*state);
	return r;
}

static void xdg_wins_over_home_and_relative_is_ignored(void **state)
{
	_cleanup_free_ char *a = NULL, *b = NULL, *c = NULL;

	(void)state;
	setenv("HOME", "/home/somebody", 1);
	setenv("XDG_CACHE_HOME", "/elsewhere", 1);
	a = path_cache_dir(NULL);
	assert_string_equal(a, "/elsewhere/ktstr");
	setenv("XDG_CACHE_HOME", "relative", 1);
	b = path_cache_dir(NULL);
	assert_string_equal(b, "/home/somebody/.cache/ktstr");
	unsetenv("XDG_STATE_HOME");
	c = path_state_dir(NULL);
	assert_string_equal(c, "/home/somebody/.local/state/ktstr");
}

static void trees_are_made_and_removed(void **state)
{
	_cleanup_free_ char *deep = path_format("%s/a/b//c/", (char *)*state);
	_cleanup_free_ char *file = path_format("%s/a/b/f", (char *)*state);
	_cleanup_free_ char *link = path_format("%s/a/out", (char *)*state);
	_cleanup_free_ char *top = path_format("%s/a", (char *)*state);
	_cleanup_free_ char *kept = path_format("%s/kept", (char *)*state);

	assert_int_equal(path_mkdir_all(deep, NULL), 0);
	assert_int_equal(path_mkdir_all(deep, NULL), 0);
	assert_int_equal(io_write_file(file, "x", 1, 0644, NULL), 0);
	assert_int_equal(path_mkdir_all(kept, NULL), 0);
	assert_int_equal(symlink(kept, link), 0);
	assert_int_equal(path_mkdir_all(file, NULL), -ENOTDIR);
	assert_int_equal(path_remove_tree(top, NULL), 0);
	assert_false(path_is_dir(top));
	assert_true(path_is_dir(kept));
	assert_int_equal(path_remove_tree(top, NULL), 0);
}

static void mkdir_says_what_is_wrong(void **state)
{
	struct ktstr_error err = { 0 };

	(void)state;
	assert_int_equal(path_mkdir_all("", &err), -ENOENT);
	assert_int_equal(path_mkdir_all("/proc/nowhere/x", &err), -ENOENT);
	assert_non_null(strstr(err.text, "/proc/nowhere"));
}

static void programs_are_found_or_refused(void **state)
{
	_cleanup_free_ char *sh = path_find_program("sh", NULL);
	_cleanup_free_ char *plain = path_format("%s/plain", (char *)*state);
	struct ktstr_error err = { 0 };

	assert_non_null(sh);
	assert_int_equal(sh[0], '/');
	assert_null(path_find_program("no-such-program-here", &err));
	assert_int_equal(err.code, -ENOENT);
	assert_int_equal(io_write_file(plain, "x", 1, 0644, NULL), 0);
	assert_null(path_find_program(plain, &err));
	assert_int_equal(err.code, -EACCES);
	assert_non_null(strstr(err.text, "chmod +x"));
	assert_null(path_find_program(*state, &err));
	assert_int_equal(err.code, -EACCES);
}

static void write_file_is_whole_or_untouched(void **state)
{
	_cleanup_free_ char *file = path_format("%s/f", (char *)*state);
	_cleanup_free_ char *missing = path_format("%s/no/f", (char *)*state);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	_cleanup_strbuf_ struct strbuf small = STRBUF_INIT_LIMIT(2);
	struct ktstr_error err = { 0 };

	assert_int_equal(io_write_file(file, "one", 3, 0600, NULL), 0);
	assert_int_equal(io_write_file(file, "second", 6, 0600, NULL), 0);
	assert_int_equal(io_read_file(file, &text, NULL), 0);
	assert_string_equal(strbuf_str(&text), "second");
	assert_int_equal(io_write_file(missing, "x", 1, 0600, &err), -ENOENT);
	assert_int_equal(io_read_file(file, &small, &err), -E2BIG);
	assert_non_null(strstr(err.text, "limit of 2 bytes"));
	assert_int_equal(io_copy_file(file, missing, 0600, &err), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(xdg_wins_over_home_and_relative_is_ignored),
		cmocka_unit_test_setup_teardown(trees_are_made_and_removed, make_folder,
						remove_folder),
		cmocka_unit_test(mkdir_says_what_is_wrong),
		cmocka_unit_test_setup_teardown(programs_are_found_or_refused, make_folder,
						remove_folder),
		cmocka_unit_test_setup_teardown(write_file_is_whole_or_untouched, make_folder,
						remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
