// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include <cmocka.h>

#include "run/folder.h"
#include "tests/lib/scratch.h"

static struct scratch dir;
static struct ktstr_error err;

static int set_up(void **state)
{
	(void)state;
	scratch_create(&dir);
	return setenv("XDG_STATE_HOME", dir.dir, 1);
}

static int tear_down(void **state)
{
	(void)state;
	scratch_destroy(&dir);
	return 0;
}

static void every_run_has_its_own_folder(void **state)
{
	char *a = NULL, *b = NULL;

	(void)state;
	/* The same process within one second, as a container's pids may repeat. */
	assert_int_equal(folder_create_run(NULL, &a, &err), 0);
	assert_int_equal(folder_create_run(NULL, &b, &err), 0);
	assert_string_not_equal(a, b);
	assert_int_equal(access(a, W_OK), 0);
	assert_non_null(strstr(a, "/ktstr/runs/2"));
	free(a);
	free(b);
}

static void a_used_folder_is_refused(void **state)
{
	const char *wanted = scratch_path(&dir, "deep/run");
	char *path = NULL, *test = NULL;

	(void)state;
	assert_int_equal(folder_create_run(wanted, &path, &err), 0);
	assert_int_equal(folder_create_test(path, "t", &test, &err), 0);
	assert_int_equal(folder_create_test(path, "t", &test, &err), -EEXIST);
	free(path);
	path = NULL;
	assert_int_equal(folder_create_run(scratch_path(&dir, "deep/run"), &path, &err), -EEXIST);
	assert_null(path);
	assert_non_null(strstr(err.text, "never overwritten"));
	free(test);
}

static bool is_there(const char *name)
{
	return access(scratch_path(&dir, name), F_OK) == 0;
}

static void trimming_leaves_result_and_record(void **state)
{
	(void)state;
	scratch_text(&dir, "t/result.json", "{}");
	scratch_text(&dir, "t/run.json", "{}");
	scratch_text(&dir, "t/job.json", "{}");
	scratch_text(&dir, "t/console.log", "x");
	scratch_text(&dir, "t/records.bin", "x");
	folder_trim(scratch_path(&dir, "t"));
	assert_true(is_there("t/result.json"));
	assert_true(is_there("t/run.json"));
	assert_true(is_there("t/job.json"));
	assert_true(is_there("t/records.bin"));
	assert_false(is_there("t/console.log"));
	assert_int_equal(truncate(scratch_path(&dir, "t/records.bin"), FOLDER_RECORDS_KEPT + 1), 0);
	folder_trim(scratch_path(&dir, "t"));
	assert_false(is_there("t/records.bin"));
	assert_true(is_there("t/run.json"));
	folder_remove_file(scratch_path(&dir, "t"), "not-there");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_run_has_its_own_folder),
		TEST(a_used_folder_is_refused),
		TEST(trimming_leaves_result_and_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
