// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/elfmake.h"
#include "base/io.h"
#include "vm/elf.h"

static int read_bytes(const void *bytes, size_t size, struct elf_needs *needs,
		      struct ktstr_error *err)
{
	int fd = memfd_create("elf", MFD_CLOEXEC), r;

	assert_true(fd >= 0);
	assert_int_equal(io_write_all(fd, bytes, size), 0);
	r = elf_needs_read(fd, "x", needs, err);
	close(fd);
	return r;
}

static void everything_asked_for_is_read(void **state)
{
	const struct elfmake what = { .interpreter = "/lib64/ld.so",
				      .rpath = "/opt/a",
				      .runpath = "$ORIGIN/lib",
				      .needed = { "libz.so.1", "libc.so.6" } };
	struct elf_needs needs;
	struct elfmake_file file;

	(void)state;
	elfmake(&what, &file);
	assert_int_equal(read_bytes(&file, sizeof(file), &needs, NULL), 0);
	assert_int_equal(needs.class, ELFCLASS64);
	assert_int_equal(needs.machine, EM_X86_64);
	assert_string_equal(needs.interpreter, "/lib64/ld.so");
	assert_string_equal(needs.rpath, "/opt/a");
	assert_string_equal(needs.runpath, "$ORIGIN/lib");
	assert_int_equal(needs.nr_needed, 2);
	assert_string_equal(needs.needed[0], "libz.so.1");
	assert_string_equal(needs.needed[1], "libc.so.6");
	elf_needs_deinit(&needs);
}

static void other_files_are_told_apart(void **state)
{
	const struct elfmake object = { .type = ET_REL };
	struct elf_needs needs = { .machine = 77 };
	struct ktstr_error err = { 0 };
	struct elfmake_file file;

	(void)state;
	assert_int_equal(read_bytes("", 0, &needs, &err), -ENOEXEC);
	assert_int_equal(read_bytes("#!/bin/sh\n", 10, &needs, &err), -ENOEXEC);
	assert_int_equal(read_bytes("\177ELF", 4, &needs, &err), -ENOEXEC);
	elfmake(&object, &file);
	assert_int_equal(read_bytes(&file, sizeof(file), &needs, &err), -ENOEXEC);
	assert_int_equal(needs.machine, 77);
}

static void damage_is_refused(void **state)
{
	const struct elfmake what = { .interpreter = "/i", .needed = { "libc.so.6" } };
	struct elf_needs needs = { .machine = 77 };
	struct elfmake_file good, bad;

	(void)state;
	elfmake(&what, &good);
	bad = good;
	bad.entries[0].d_un.d_val = 5000; /* a name beyond the strings */
	assert_int_equal(read_bytes(&bad, sizeof(bad), &needs, NULL), -EINVAL);
	bad = good;
	bad.entries[1].d_un.d_val = 1 << 20; /* strings at no segment */
	assert_int_equal(read_bytes(&bad, sizeof(bad), &needs, NULL), -EINVAL);
	bad = good;
	bad.entries[1].d_tag = DT_DEBUG; /* no strings */
	assert_int_equal(read_bytes(&bad, sizeof(bad), &needs, NULL), -EINVAL);
	bad = good;
	bad.dynamic.p_offset = 1ull << 40;
	assert_int_equal(read_bytes(&bad, sizeof(bad), &needs, NULL), -EINVAL);
	bad = good;
	bad.interp.p_filesz = 2; /* cuts its terminator off */
	assert_int_equal(read_bytes(&bad, sizeof(bad), &needs, NULL), -EINVAL);
	bad = good;
	bad.interp.p_offset = UINT64_MAX - 1;
	assert_int_equal(read_bytes(&bad, sizeof(bad), &needs, NULL), -EINVAL);
	assert_int_equal(needs.machine, 77);
}

/* Every byte of the file is changed once; nothing may break the reader. */
static void no_single_byte_breaks_the_reader(void **state)
{
	const struct elfmake what = { .interpreter = "/i", .needed = { "libc.so.6" } };
	struct elfmake_file file;
	unsigned char *bytes = (unsigned char *)&file;

	(void)state;
	elfmake(&what, &file);
	for (size_t i = 0; i < offsetof(struct elfmake_file, strings); i++) {
		struct elf_needs needs = { 0 };
		unsigned char before = bytes[i];

		bytes[i] ^= 0xff;
		if (read_bytes(&file, sizeof(file), &needs, NULL) == 0)
			elf_needs_deinit(&needs);
		bytes[i] = before;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_asked_for_is_read),
		cmocka_unit_test(other_files_are_told_apart),
		cmocka_unit_test(damage_is_refused),
		cmocka_unit_test(no_single_byte_breaks_the_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
