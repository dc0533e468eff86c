// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vm/elfloaded.h"

enum { FILE_BYTES = 1024, LOAD_AT = 256, LOAD_BYTES = 300, SECTIONS_AT = 900 };

struct program {
	Elf64_Ehdr header;
	Elf64_Phdr load, empty;
	uint8_t rest[FILE_BYTES - sizeof(Elf64_Ehdr) - 2 * sizeof(Elf64_Phdr)];
};

static struct program program(void)
{
	return (struct program){
		.header = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
					 ELFDATA2LSB },
			    .e_phoff = sizeof(Elf64_Ehdr),
			    .e_phentsize = sizeof(Elf64_Phdr),
			    .e_phnum = 2,
			    .e_shoff = SECTIONS_AT,
			    .e_shentsize = sizeof(Elf64_Shdr),
			    .e_shnum = 1,
			    .e_shstrndx = 1 },
		.load = { .p_type = PT_LOAD, .p_offset = LOAD_AT, .p_filesz = LOAD_BYTES },
		.empty = { .p_type = PT_GNU_STACK, .p_offset = FILE_BYTES },
	};
}

static void what_is_loaded_is_kept(void **state)
{
	struct program p = program();

	(void)state;
	assert_int_equal(elfloaded_bytes(&p, sizeof(p)), LOAD_AT + LOAD_BYTES);
	elfloaded_forget_sections(&p);
	assert_int_equal(p.header.e_shoff, 0);
	assert_int_equal(p.header.e_shnum, 0);
	assert_int_equal(p.header.e_shstrndx, 0);
	assert_int_equal(p.header.e_phnum, 2);
	p = program();
	p.load.p_filesz = 0;
	assert_int_equal(elfloaded_bytes(&p, sizeof(p)),
			 sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr));
}

static void others_are_left_whole(void **state)
{
	struct program p = program();

	(void)state;
	for (size_t size = 0; size < LOAD_AT + LOAD_BYTES; size++)
		assert_int_equal(elfloaded_bytes(&p, size), 0);
	p.header.e_ident[EI_CLASS] = ELFCLASS32;
	assert_int_equal(elfloaded_bytes(&p, sizeof(p)), 0);
	p = program();
	p.header.e_shoff = LOAD_AT;
	assert_int_equal(elfloaded_bytes(&p, sizeof(p)), 0);
	p = program();
	p.header.e_phoff = UINT64_MAX - 8;
	assert_int_equal(elfloaded_bytes(&p, sizeof(p)), 0);
	p = program();
	p.load.p_filesz = UINT64_MAX;
	assert_int_equal(elfloaded_bytes(&p, sizeof(p)), 0);
	p = program();
	p.header.e_phnum = 0;
	assert_int_equal(elfloaded_bytes(&p, sizeof(p)), 0);
	assert_int_equal(elfloaded_bytes("#!/bin/sh\n", 10), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_loaded_is_kept),
		cmocka_unit_test(others_are_left_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
