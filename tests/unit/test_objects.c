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

#include "run/filesum.h"
#include "run/objects.h"
#include "tests/lib/scratch.h"

/* SHA-256 of "abc": FIPS 180-4, appendix B. */
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static struct scratch dir;

static int set_up(void **state)
{
	(void)state;
	scratch_create(&dir);
	return setenv("XDG_CACHE_HOME", dir.dir, 1);
}

static int tear_down(void **state)
{
	(void)state;
	scratch_destroy(&dir);
	return 0;
}

static bool is_there(const char *name)
{
	return access(scratch_path(&dir, name), F_OK) == 0;
}

static void files_are_moved_under_their_hash_once(void **state)
{
	const char *objects = scratch_path(&dir, "objects");
	struct ktstr_error err;

	(void)state;
	for (int i = 0; i < 2; i++) {
		const char *file = scratch_text(&dir, "file", "abc");

		assert_int_equal(objects_move(objects, file, ABC, &err), 0);
		assert_false(is_there("file"));
		assert_int_equal(objects_check(objects, ABC, &err), 0);
	}
}

static void linked_files_stay(void **state)
{
	const char *objects = scratch_path(&dir, "objects");
	const char *file = scratch_text(&dir, "file", "abc");
	struct ktstr_error err;

	(void)state;
	assert_int_equal(objects_link(objects, file, ABC, &err), 0);
	assert_int_equal(objects_link(objects, file, ABC, &err), 0);
	assert_true(is_there("file"));
	assert_int_equal(objects_check(objects, ABC, &err), 0);
}

static void changed_objects_are_told(void **state)
{
	const char *objects = scratch_path(&dir, "objects");
	struct ktstr_error err;

	(void)state;
	assert_int_equal(objects_check(objects, ABC, &err), -ENOENT);
	scratch_text(&dir, "objects/" ABC, "abd");
	assert_int_equal(objects_check(objects, ABC, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "has been changed"));
}

static void sums_follow_the_content(void **state)
{
	const char *file = scratch_text(&dir, "file", "abc");
	char hex[SHA256_HEX], other[SHA256_HEX];
	struct ktstr_error err;

	(void)state;
	for (int i = 0; i < 2; i++) {
		memset(hex, 0, sizeof(hex));
		assert_int_equal(filesum_sha256(file, hex, &err), 0);
		assert_string_equal(hex, ABC);
	}
	scratch_text(&dir, "file", "abcd");
	assert_int_equal(filesum_sha256(file, other, &err), 0);
	assert_string_not_equal(other, ABC);
	assert_int_equal(filesum_sha256("/nowhere", hex, &err), -ENOENT);
}

static void sums_need_no_cache(void **state)
{
	const char *file = scratch_text(&dir, "file", "abc");
	char hex[SHA256_HEX];

	(void)state;
	scratch_text(&dir, "ktstr", "in the way");
	assert_int_equal(filesum_sha256(file, hex, NULL), 0);
	assert_string_equal(hex, ABC);
}

static void hashes_are_told_from_other_texts(void **state)
{
	(void)state;
	assert_true(filesum_is_hex(ABC));
	assert_false(filesum_is_hex(""));
	assert_false(filesum_is_hex(ABC "0"));
	assert_false(
		filesum_is_hex("BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(files_are_moved_under_their_hash_once),
		TEST(linked_files_stay),
		TEST(changed_objects_are_told),
		TEST(sums_follow_the_content),
		TEST(sums_need_no_cache),
		TEST(hashes_are_told_from_other_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
