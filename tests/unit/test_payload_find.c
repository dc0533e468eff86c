// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "work/payload_find.h"

static char top[PATH_MAX];
static struct ktstr_error err;

static const char *at(const char *below)
{
	static char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/%s", top, below);
	return path;
}

static void make_file(const char *below, mode_t mode)
{
	char *slash, *dir = strdup(at(below));
	int fd;

	slash = strrchr(dir, '/');
	*slash = '\0';
	assert_int_equal(path_mkdir_all(dir, &err), 0);
	free(dir);
	fd = open(at(below), O_WRONLY | O_CREAT | O_CLOEXEC, mode);
	assert_true(fd >= 0);
	close(fd);
}

static int set_up(void **state)
{
	char template[] = "/tmp/ktstr-unit-XXXXXX";

	(void)state;
	if (!mkdtemp(template) || !realpath(template, top))
		return -1;
	make_file("payloads/a", 0755);
	make_file("tests/payloads/b", 0755);
	make_file("tests/vm/c", 0755);
	make_file("payloads/c", 0755);
	make_file("payloads/unfit", 0644);
	make_file("path/d", 0755);
	make_file("payloads/folder/x", 0755);
	make_file("path/folder", 0755);
	return setenv("PATH", at("path"), 1);
}

static int tear_down(void **state)
{
	(void)state;
	return path_remove_tree(top, &err);
}

static void assert_found(const char *name, const char *below)
{
	_cleanup_free_ char *program = strdup(at("tests/vm/program"));
	_cleanup_free_ char *path = NULL;

	assert_int_equal(payload_find_binary(name, program, &path, &err), 0);
	assert_string_equal(path, at(below));
}

static void folders_are_searched_in_order(void **state)
{
	(void)state;
	assert_found("a", "payloads/a");
	assert_found("b", "tests/payloads/b");
	assert_found("c", "tests/vm/c");
	assert_found("d", "path/d");
	/* A folder of that name is not it. */
	assert_found("folder", "path/folder");
}

static void paths_are_taken_as_they_are(void **state)
{
	_cleanup_free_ char *path = NULL, *absolute = strdup(at("path/d"));

	(void)state;
	assert_found(absolute, "path/d");
	assert_int_equal(chdir(top), 0);
	assert_found("./payloads/../payloads/a", "payloads/a");
	assert_int_equal(payload_find_binary("./no/where", NULL, &path, &err), -ENOENT);
	assert_non_null(strstr(err.text, "'./no/where'"));
	assert_int_equal(payload_find_binary("./payloads", NULL, &path, &err), -EISDIR);
	assert_null(path);
}

static void own_folder_is_the_default(void **state)
{
	_cleanup_free_ char *path = NULL;

	(void)state;
	assert_int_equal(payload_find_binary("test_payload_find", NULL, &path, &err), 0);
	assert_string_equal(path_base(path), "test_payload_find");
}

static void misses_say_where_was_looked(void **state)
{
	_cleanup_free_ char *program = strdup(at("tests/vm/program"));
	_cleanup_free_ char *path = NULL;

	(void)state;
	assert_int_equal(payload_find_binary("nowhere", program, &path, &err), -ENOENT);
	assert_non_null(strstr(err.text, "'nowhere'"));
	assert_non_null(strstr(err.text, "PATH"));
	assert_int_equal(payload_find_binary("unfit", program, &path, &err), -EACCES);
	assert_non_null(strstr(err.text, "chmod +x"));
	assert_int_equal(payload_find_binary("", program, &path, &err), -EINVAL);
	assert_int_equal(payload_find_binary("dir/", program, &path, &err), -EINVAL);
	assert_int_equal(payload_find_binary(NULL, program, &path, &err), -EINVAL);
	assert_null(path);
}

static void guests_have_it_in_bin(void **state)
{
	_cleanup_free_ char *path = NULL;

	(void)state;
	assert_int_equal(payload_find_in_guest("/some/host/sh", &path, &err), 0);
	assert_string_equal(path, "/bin/sh");
	assert_int_equal(payload_find_in_guest("no-such-payload", &path, &err), -ENOENT);
	assert_non_null(strstr(err.text, ".payloads"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folders_are_searched_in_order),
		cmocka_unit_test(paths_are_taken_as_they_are),
		cmocka_unit_test(own_folder_is_the_default),
		cmocka_unit_test(misses_say_where_was_looked),
		cmocka_unit_test(guests_have_it_in_bin),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
