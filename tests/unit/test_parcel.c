// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
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
#include "run/interrupt.h"
#include "run/parcel.h"
#include "tests/lib/scratch.h"

#define HASH "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static struct scratch dir;
static struct ktstr_error err;

static int set_up(void **state)
{
	(void)state;
	scratch_create(&dir);
	return mkdir(scratch_path(&dir, "to"), 0777);
}

static int tear_down(void **state)
{
	(void)state;
	scratch_destroy(&dir);
	return 0;
}

static void expect_text(const char *name, const char *wanted)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	assert_int_equal(io_read_file(scratch_path(&dir, name), &text, &err), 0);
	assert_string_equal(strbuf_str(&text), wanted);
}

static void only_parts_of_runs_have_names(void **state)
{
	(void)state;
	assert_true(parcel_name_ok("fails@1#2", true));
	assert_true(parcel_name_ok("objects", true));
	assert_true(parcel_name_ok("fails@1#2/run.json", false));
	assert_true(parcel_name_ok("fails/records.bin", false));
	assert_true(parcel_name_ok("objects/" HASH, false));
	assert_true(parcel_name_ok("kernels/" HASH, false));
	assert_false(parcel_name_ok("run.json", false));
	assert_false(parcel_name_ok("", true));
	assert_false(parcel_name_ok("..", true));
	assert_false(parcel_name_ok(".git", true));
	assert_false(parcel_name_ok("a/b", true));
	assert_false(parcel_name_ok("../run.json", false));
	assert_false(parcel_name_ok("/run.json", false));
	assert_false(parcel_name_ok("a/../run.json", false));
	assert_false(parcel_name_ok("a/b/run.json", false));
	assert_false(parcel_name_ok("a/other", false));
	assert_false(parcel_name_ok("objects/run.json", false));
	assert_false(parcel_name_ok("objects/" HASH "0", false));
	assert_false(parcel_name_ok("object/" HASH, false));
}

static void pack(const char *file)
{
	const char *first = scratch_text(&dir, "first", "one");
	struct parcel *parcel;

	assert_int_equal(parcel_create(file, &parcel, &err), 0);
	assert_int_equal(access(file, F_OK), -1);
	assert_int_equal(parcel_add_folder(parcel, "item", &err), 0);
	assert_int_equal(parcel_add_folder(parcel, "objects", &err), 0);
	assert_int_equal(parcel_add(parcel, first, "item/run.json", &err), 0);
	assert_int_equal(parcel_add(parcel, first, "objects/" HASH, &err), 0);
	assert_int_equal(parcel_add(parcel, first, "objects/" HASH, &err), 0);
	assert_int_equal(parcel_add(parcel, "/nowhere", "item/job.json", &err), -ENOENT);
	assert_int_equal(parcel_finish(parcel, &err), 0);
	parcel_destroy(parcel);
}

static void what_is_packed_is_unpacked(void **state)
{
	const char *file = scratch_path(&dir, "file");

	(void)state;
	pack(file);
	assert_int_equal(parcel_unpack(file, scratch_path(&dir, "to"), &err), 0);
	expect_text("to/item/run.json", "one");
	expect_text("to/objects/" HASH, "one");
}

static void what_is_not_finished_leaves_nothing(void **state)
{
	const char *file = scratch_path(&dir, "to/file");
	struct parcel *parcel;

	(void)state;
	assert_int_equal(parcel_create(file, &parcel, &err), 0);
	parcel_destroy(parcel);
	assert_int_equal(rmdir(scratch_path(&dir, "to")), 0);
	assert_int_equal(parcel_create("/nowhere/file", &parcel, &err), -ENOENT);
	parcel_destroy(NULL);
}

static void an_interrupted_one_leaves_nothing(void **state)
{
	const char *first = scratch_text(&dir, "first", "one");
	const char *file = scratch_path(&dir, "to/file");
	struct parcel *parcel;

	(void)state;
	assert_int_equal(interrupt_catch(&err), 0);
	assert_int_equal(parcel_create(file, &parcel, &err), 0);
	assert_int_equal(parcel_add_folder(parcel, "item", &err), 0);
	raise(SIGTERM);
	assert_int_equal(parcel_add(parcel, first, "item/run.json", &err), -EINTR);
	assert_int_equal(parcel_finish(parcel, &err), -EINTR);
	assert_int_equal(rmdir(scratch_path(&dir, "to")), 0);
	parcel_destroy(parcel);
	interrupt_release();
}

/* Cut anywhere it is refused; with any byte changed it is refused, or holds the same. */
static void damage_is_refused(void **state)
{
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
	const char *file = scratch_path(&dir, "file");

	(void)state;
	pack(file);
	assert_int_equal(io_read_file(file, &bytes, &err), 0);
	for (size_t i = 0; i < bytes.len; i++) {
		const char *cut = scratch_write(&dir, "cut", bytes.data, i, 0644);
		const char *to = scratch_path(&dir, "t");
		_cleanup_free_ char *kept = strdup(to);
		char was = bytes.data[i];

		assert_int_equal(mkdir(kept, 0777), 0);
		assert_true(parcel_unpack(cut, kept, &err) < 0);
		assert_int_equal(path_remove_tree(kept, &err), 0);
		bytes.data[i] = (char)(was ^ 0x11);
		cut = scratch_write(&dir, "cut", bytes.data, bytes.len, 0644);
		assert_int_equal(mkdir(kept, 0777), 0);
		if (parcel_unpack(cut, kept, &err) == 0) {
			expect_text("t/item/run.json", "one");
			expect_text("t/objects/" HASH, "one");
		}
		assert_int_equal(path_remove_tree(kept, &err), 0);
		bytes.data[i] = was;
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_parts_of_runs_have_names),
		TEST(what_is_packed_is_unpacked),
		TEST(what_is_not_finished_leaves_nothing),
		TEST(an_interrupted_one_leaves_nothing),
		TEST(damage_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
