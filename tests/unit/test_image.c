// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/image.h"

#include "../lib/fake_kernel.h"
#include "../lib/scratch.h"

static struct scratch scratch;
static struct strbuf bytes = STRBUF_INIT;
static struct image image;
static struct ktstr_error err;

static int read_bytes(size_t len)
{
	memset(&image, 0xee, sizeof(image));
	memset(&err, 0, sizeof(err));
	return image_read(scratch_write(&scratch, "k", bytes.data ? bytes.data : "", len, 0644),
			  &image, &err);
}

static void expect_text(const char *part)
{
	if (!strstr(err.text, part))
		fail_msg("'%s' is not in '%s'", part, err.text);
}

static void a_vmlinux_is_read(void **state)
{
	(void)state;
	fake_vmlinux(&(struct fake_vmlinux){ .release = "7.3.4+x", .padding = 100 }, &bytes);
	assert_int_equal(read_bytes(bytes.len), 0);
	assert_int_equal(image.kind, IMAGE_VMLINUX);
	assert_true(image.pvh);
	assert_string_equal(image.build_id, FAKE_BUILD_ID);
	assert_string_equal(image.release, "7.3.4+x");
	assert_int_equal(image.size_bytes, bytes.len);

	fake_vmlinux(&(struct fake_vmlinux){ .no_pvh = true }, &bytes);
	assert_int_equal(read_bytes(bytes.len), 0);
	assert_false(image.pvh);
	assert_string_equal(image.release, "");
}

static void a_banner_is_found_across_chunks(void **state)
{
	(void)state;
	for (size_t at = (1 << 20) - 300; at <= (1 << 20) + 20; at += 5) {
		fake_vmlinux(&(struct fake_vmlinux){ .padding = 2 << 20 }, &bytes);
		memcpy(bytes.data + at, "Linux version 6.1.0-50-cloud (", 30);
		assert_int_equal(read_bytes(bytes.len), 0);
		assert_string_equal(image.release, "6.1.0-50-cloud");
	}
}

static void a_bzimage_is_read(void **state)
{
	(void)state;
	fake_kernel("6.12.107+deb13-cloud-amd64", &bytes);
	assert_int_equal(read_bytes(bytes.len), 0);
	assert_int_equal(image.kind, IMAGE_BZIMAGE);
	assert_string_equal(image.release, "6.12.107+deb13-cloud-amd64");
	assert_int_equal(image.payload_offset, 1024 + 16);
}

static void truncated_images_say_so(void **state)
{
	size_t whole;

	(void)state;
	fake_kernel("6.12", &bytes);
	whole = bytes.len;
	assert_int_equal(read_bytes(whole - 1), -EINVAL);
	expect_text("is truncated");
	assert_int_equal(read_bytes(0x250), -EINVAL);
	expect_text("is truncated");
	fake_vmlinux(&(struct fake_vmlinux){ .padding = 100 }, &bytes);
	assert_int_equal(read_bytes(bytes.len - 1), -EINVAL);
	expect_text("is truncated");
	assert_int_equal(read_bytes(70), -EINVAL);
	expect_text("is truncated");
	assert_int_equal(read_bytes(20), -EINVAL);
	expect_text("is truncated");
	assert_int_equal(read_bytes(0), -EINVAL);
	expect_text("is empty");
}

static void a_payload_outside_is_damage(void **state)
{
	(void)state;
	fake_kernel("6.12", &bytes);
	bytes.data[0x24f] = 1;
	assert_int_equal(read_bytes(bytes.len), -EINVAL);
	expect_text("does not lie inside");
}

static void other_machines_are_named(void **state)
{
	static const struct {
		struct fake_vmlinux v;
		const char *text;
	} cases[] = {
		{ { .machine = EM_AARCH64 }, "is for arm64, but the VM is x86-64" },
		{ { .machine = EM_RISCV }, "is for riscv" },
		{ { .machine = EM_386, .bits_32 = true }, "is for 32-bit x86" },
		{ { .machine = EM_S390, .big_endian = true }, "is for a big-endian machine" },
		{ { .machine = 9999 }, "is for ELF machine 9999" },
		{ { .bits_32 = true }, "is for x32" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fake_vmlinux(&cases[i].v, &bytes);
		assert_int_equal(read_bytes(bytes.len), -EXDEV);
		expect_text(cases[i].text);
	}
	fake_kernel("6.12", &bytes);
	bytes.data[0x236] = 0;
	assert_int_equal(read_bytes(bytes.len), -EXDEV);
	expect_text("is for 32-bit x86");
	fake_kernel("6.12", &bytes);
	memset(bytes.data + 0x200, 0, 64);
	memcpy(bytes.data + 56, "ARM\x64", 4);
	assert_int_equal(read_bytes(bytes.len), -EXDEV);
	expect_text("is for arm64");
}

static void other_files_are_no_kernels(void **state)
{
	static const struct {
		const char *bytes, *text;
	} cases[] = {
		{ "#!/bin/sh\n", "but a script" },
		{ "\x1f\x8b\x08 and more", "a gzip file; unpack it first" },
		{ "!<arch>\ndebian-binary", "an archive or a .deb package" },
		{ "just text, nothing else", "neither a bzImage nor a vmlinux" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		strbuf_clear(&bytes);
		strbuf_addstr(&bytes, cases[i].bytes);
		assert_int_equal(read_bytes(bytes.len), -ENOEXEC);
		expect_text(cases[i].text);
	}
	fake_vmlinux(&(struct fake_vmlinux){ .user_program = true }, &bytes);
	assert_int_equal(read_bytes(bytes.len), -ENOEXEC);
	expect_text("is an ordinary ELF program");
	fake_vmlinux(&(struct fake_vmlinux){ .type = ET_REL }, &bytes);
	assert_int_equal(read_bytes(bytes.len), -ENOEXEC);
	expect_text("object file or core");
	assert_int_equal(image_read(scratch.dir, &image, &err), -ENOEXEC);
	expect_text("is not a regular file");
	assert_int_equal(image_read(scratch_path(&scratch, "absent"), &image, &err), -ENOENT);
	assert_int_equal(image_read("/proc/self/exe", &image, &err), -ENOEXEC);
}

static int set_up(void **state)
{
	(void)state;
	scratch_create(&scratch);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	strbuf_deinit(&bytes);
	scratch_destroy(&scratch);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_vmlinux_is_read),
		cmocka_unit_test(a_banner_is_found_across_chunks),
		cmocka_unit_test(a_bzimage_is_read),
		cmocka_unit_test(truncated_images_say_so),
		cmocka_unit_test(a_payload_outside_is_damage),
		cmocka_unit_test(other_machines_are_named),
		cmocka_unit_test(other_files_are_no_kernels),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
