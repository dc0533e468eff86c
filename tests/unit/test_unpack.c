// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/path.h"
#include "kernel/unpack.h"

#include "../lib/fake_kernel.h"
#include "../lib/scratch.h"

static struct scratch scratch;
static struct strbuf plain = STRBUF_INIT, packed = STRBUF_INIT, image_bytes = STRBUF_INIT;
static struct ktstr_error err;

/* Wraps `packed` in a bzImage and unpacks it again. */
static int unpack(void)
{
	const char *path;
	_cleanup_close_ int fd = -1;
	struct image image;

	memset(&err, 0, sizeof(err));
	fake_bzimage("6.12", &packed, &image_bytes);
	path = scratch_write(&scratch, "bzImage", image_bytes.data, image_bytes.len, 0644);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(image_read_fd(fd, path, &image, &err), 0);
	return unpack_bzimage(fd, path, &image, scratch_path(&scratch, "vmlinux"), &err);
}

static void expect_plain(const char *path)
{
	_cleanup_strbuf_ struct strbuf got = STRBUF_INIT;

	assert_int_equal(io_read_file(path, &got, NULL), 0);
	assert_int_equal(got.len, plain.len);
	assert_memory_equal(got.data, plain.data, plain.len);
}

static void expect_failure(int r, int code, const char *part)
{
	assert_int_equal(r, code);
	if (!strstr(err.text, part))
		fail_msg("'%s' is not in '%s'", part, err.text);
	assert_int_equal(access(scratch_path(&scratch, "vmlinux"), F_OK), -1);
}

/* Packs `plain` with a program; skips the test where it is missing. */
static void pack_with(const char *const *args)
{
	_cleanup_free_ char *program = path_find_program(args[0], NULL);
	const char *argv[6] = { program };

	if (!program) {
		print_message("needs the program '%s'\n", args[0]);
		skip();
	}
	for (int i = 1; args[i]; i++)
		argv[i] = args[i];
	for (int i = 1; i < 5; i++)
		if (!argv[i]) {
			argv[i] = scratch_write(&scratch, "plain", plain.data, plain.len, 0644);
			break;
		}
	strbuf_clear(&packed);
	assert_int_equal(child_run(argv, 60 * NSEC_PER_SEC, &packed, NULL, &err), 0);
}

static void zstd_is_unpacked(void **state)
{
	(void)state;
	fake_zstd_payload(&plain, &packed);
	assert_int_equal(unpack(), 0);
	expect_plain(scratch_path(&scratch, "vmlinux"));
}

static void programs_unpack(void **state)
{
	pack_with(*state);
	if (strcmp(**(const char ***)state, "gzip") != 0)
		fake_append_size(&packed, plain.len);
	assert_int_equal(unpack(), 0);
	expect_plain(scratch_path(&scratch, "vmlinux"));
	/* Half of it must not pass for whole. */
	packed.len /= 2;
	fake_append_size(&packed, plain.len);
	unlink(scratch_path(&scratch, "vmlinux"));
	expect_failure(unpack(), -EINVAL, "");
}

static void a_cut_frame_is_damage(void **state)
{
	(void)state;
	fake_zstd_payload(&plain, &packed);
	packed.len /= 2;
	fake_append_size(&packed, plain.len);
	unlink(scratch_path(&scratch, "vmlinux"));
	expect_failure(unpack(), -EINVAL, "is damaged");
}

static void a_flipped_bit_is_damage(void **state)
{
	(void)state;
	fake_zstd_payload(&plain, &packed);
	packed.data[6] = (char)(packed.data[6] ^ 0x40);
	unlink(scratch_path(&scratch, "vmlinux"));
	expect_failure(unpack(), -EINVAL, "is damaged");
}

static void a_wrong_size_is_damage(void **state)
{
	(void)state;
	fake_zstd_payload(&plain, &packed);
	packed.data[packed.len - 4] = (char)(packed.data[packed.len - 4] + 1);
	unlink(scratch_path(&scratch, "vmlinux"));
	expect_failure(unpack(), -EINVAL, "where its trailer says");
	fake_zstd_payload(&plain, &packed);
	packed.data[packed.len - 1] = 0x7f;
	expect_failure(unpack(), -EINVAL, "more than 1 GiB");
}

static void unknown_packing_is_named(void **state)
{
	(void)state;
	strbuf_clear(&packed);
	strbuf_addstr(&packed, "unheard-of format");
	unlink(scratch_path(&scratch, "vmlinux"));
	expect_failure(unpack(), -ENOTSUP, "it begins 75 6e 68 65");
}

static void a_missing_program_is_named(void **state)
{

	(void)state;
	strbuf_clear(&packed);
	strbuf_add(&packed, "\x02\x21\x4c\x18 and more", 12);
	fake_append_size(&packed, 100);
	setenv("PATH", "/nonexistent", 1);
	unlink(scratch_path(&scratch, "vmlinux"));
	expect_failure(unpack(), -ENOTSUP, "install the package 'lz4'");
	unsetenv("PATH"); /* the usual folders */
}

static void files_are_unpacked_by_suffix(void **state)
{
	static const char *const xz[] = { "xz", "-c", NULL };
	const char *path;

	(void)state;
	path = scratch_write(&scratch, "a.ko", plain.data, plain.len, 0644);
	assert_int_equal(unpack_file(path, scratch_path(&scratch, "out"), &err), 0);
	expect_plain(scratch_path(&scratch, "out"));
	fake_zstd_payload(&plain, &packed);
	path = scratch_write(&scratch, "a.ko.zst", packed.data, packed.len - 4, 0644);
	assert_int_equal(unpack_file(path, scratch_path(&scratch, "out"), &err), 0);
	expect_plain(scratch_path(&scratch, "out"));
	path = scratch_write(&scratch, "b.ko.zst", packed.data, packed.len / 2, 0644);
	assert_int_equal(unpack_file(path, scratch_path(&scratch, "half"), &err), -EINVAL);
	assert_int_equal(access(scratch_path(&scratch, "half"), F_OK), -1);
	pack_with(xz);
	path = scratch_write(&scratch, "a.ko.xz", packed.data, packed.len, 0644);
	assert_int_equal(unpack_file(path, scratch_path(&scratch, "out"), &err), 0);
	expect_plain(scratch_path(&scratch, "out"));
}

static int set_up(void **state)
{
	(void)state;
	scratch_create(&scratch);
	fake_vmlinux(&(struct fake_vmlinux){ .release = "6.12", .padding = 300000 }, &plain);
	for (size_t i = 1000; i < plain.len; i++)
		plain.data[i] = (char)(i * i >> 7);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	strbuf_deinit(&plain);
	strbuf_deinit(&packed);
	strbuf_deinit(&image_bytes);
	scratch_destroy(&scratch);
	return 0;
}

#define PROGRAM_TEST(name, ...)                                        \
	{                                                              \
		"programs_unpack: " name, programs_unpack, NULL, NULL, \
			(void *)(const char *const[])                  \
		{                                                      \
			__VA_ARGS__, NULL                              \
		}                                                      \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zstd_is_unpacked),
		PROGRAM_TEST("gzip", "gzip", "-nc"),
		PROGRAM_TEST("xz", "xz", "--check=crc32", "-c"),
		PROGRAM_TEST("lzma", "xz", "--format=lzma", "-c"),
		PROGRAM_TEST("bzip2", "bzip2", "-c"),
		PROGRAM_TEST("lz4", "lz4", "-lc"),
		cmocka_unit_test(a_cut_frame_is_damage),
		cmocka_unit_test(a_flipped_bit_is_damage),
		cmocka_unit_test(a_wrong_size_is_damage),
		cmocka_unit_test(unknown_packing_is_named),
		cmocka_unit_test(a_missing_program_is_named),
		cmocka_unit_test(files_are_unpacked_by_suffix),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
