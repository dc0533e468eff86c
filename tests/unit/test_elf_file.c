// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernel/elf_file.h"

#include "../lib/fake_kernel.h"

static struct strbuf bytes = STRBUF_INIT;

static int open_bytes(void)
{
	int fd = memfd_create("elf", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes.data, bytes.len), bytes.len);
	return fd;
}

static int section(const char *name, size_t limit)
{
	struct strbuf out = STRBUF_INIT_LIMIT(limit);
	int fd = open_bytes();
	int r = elf_file_section(fd, name, &out);

	if (r == 0)
		assert_memory_equal(out.data, "license=GPL\0depends=virtio,virtio_ring", 39);
	strbuf_deinit(&out);
	close(fd);
	return r;
}

static void sections_are_found_by_name(void **state)
{
	(void)state;
	fake_module("virtio,virtio_ring", &bytes);
	assert_int_equal(section(".modinfo", 1000), 0);
	assert_int_equal(section(".text", 1000), -ENOENT);
	assert_int_equal(section(".modinfo", 10), -E2BIG);
}

static void broken_tables_are_refused(void **state)
{
	Elf64_Ehdr *ehdr;

	(void)state;
	fake_module("virtio,virtio_ring", &bytes);
	ehdr = (Elf64_Ehdr *)(void *)bytes.data;
	ehdr->e_shoff = UINT64_MAX - 10;
	assert_int_equal(section(".modinfo", 1000), -EINVAL);
	ehdr->e_shoff = bytes.len - 10;
	assert_int_equal(section(".modinfo", 1000), -EINVAL);
	fake_module("virtio,virtio_ring", &bytes);
	ehdr = (Elf64_Ehdr *)(void *)bytes.data;
	ehdr->e_shstrndx = 7;
	assert_int_equal(section(".modinfo", 1000), -EINVAL);
	bytes.len = 40;
	assert_int_equal(section(".modinfo", 1000), -EINVAL);
}

static void count_note(void *arg, const struct elf_file_note *note)
{
	int *nr = arg;

	assert_int_equal(note->name_len, 4);
	++*nr;
}

static void notes_stay_in_their_segment(void **state)
{
	Elf64_Phdr phdr;
	int fd, nr = 0;

	(void)state;
	fake_vmlinux(&(struct fake_vmlinux){ .padding = 100 }, &bytes);
	memcpy(&phdr, bytes.data + sizeof(Elf64_Ehdr), sizeof(phdr));
	fd = open_bytes();
	assert_int_equal(elf_file_each_note(fd, &phdr, count_note, &nr), 0);
	assert_int_equal(nr, 2);
	phdr.p_filesz -= 4;
	assert_int_equal(elf_file_each_note(fd, &phdr, count_note, &nr), -EINVAL);
	phdr.p_filesz = ELF_FILE_MAX_NOTES + 1ull;
	assert_int_equal(elf_file_each_note(fd, &phdr, count_note, &nr), -E2BIG);
	phdr.p_filesz = 1000;
	phdr.p_offset = UINT64_MAX;
	assert_int_equal(elf_file_each_note(fd, &phdr, count_note, &nr), -EINVAL);
	close(fd);
	strbuf_deinit(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sections_are_found_by_name),
		cmocka_unit_test(broken_tables_are_refused),
		cmocka_unit_test(notes_stay_in_their_segment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
