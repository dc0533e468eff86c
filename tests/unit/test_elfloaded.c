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
	assert_int_equal(elfloaded_trim(&p, sizeof(p)), LOAD_AT + LOAD_BYTES);
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
	p = program();
	p.header.e_phnum = 0;
	assert_int_equal(elfloaded_trim(&p, sizeof(p)), 0);
	assert_int_equal(p.header.e_shoff, SECTIONS_AT);
}

enum {
	PAGE = ELFLOADED_PAGE,
	VADDR = 16 * PAGE, /* of what is at 0 of the file */
	HOST_AT = 2 * PAGE,
	HOST_BYTES = 3 * PAGE,
	DATA_AT = 6 * PAGE,
	DATA_BYTES = 100,
	TABLE_AT = 7 * PAGE,
	NAMES_AT = 8 * PAGE,
	NR_HEADERS = 5
};

/* Code, what hosts read and constants in one segment, data in another. */
struct image {
	union {
		struct {
			Elf64_Ehdr header;
			Elf64_Phdr table, note, constants, data, frames;
		};
		uint8_t bytes[9 * PAGE];
	};
};

static Elf64_Shdr *sections(struct image *image)
{
	return (Elf64_Shdr *)(void *)(image->bytes + TABLE_AT);
}

static void fill(struct image *image)
{
	static const char names[] = "\0.names\0" ELFLOADED_HOST_SECTION;

	memset(image, 0, sizeof(*image));
	image->header = program().header;
	image->header.e_phnum = NR_HEADERS;
	image->header.e_shoff = TABLE_AT;
	image->header.e_shnum = 3;
	image->table = (Elf64_Phdr){ .p_type = PT_PHDR, .p_offset = sizeof(Elf64_Ehdr) };
	image->note = (Elf64_Phdr){ .p_type = PT_NOTE, .p_offset = PAGE, .p_filesz = 32 };
	image->constants = (Elf64_Phdr){ .p_type = PT_LOAD,
					 .p_vaddr = VADDR,
					 .p_paddr = VADDR,
					 .p_filesz = HOST_AT + HOST_BYTES + 50,
					 .p_memsz = HOST_AT + HOST_BYTES + 50,
					 .p_align = PAGE };
	image->data = (Elf64_Phdr){ .p_type = PT_LOAD,
				    .p_offset = DATA_AT,
				    .p_vaddr = VADDR + DATA_AT + PAGE,
				    .p_filesz = DATA_BYTES,
				    .p_memsz = PAGE,
				    .p_align = PAGE };
	image->frames = (Elf64_Phdr){ .p_type = PT_GNU_EH_FRAME,
				      .p_offset = HOST_AT + HOST_BYTES,
				      .p_vaddr = VADDR + HOST_AT + HOST_BYTES };
	memset(image->bytes + HOST_AT, 'h', HOST_BYTES);
	memset(image->bytes + HOST_AT + HOST_BYTES, 'c', 50);
	memset(image->bytes + DATA_AT, 'd', DATA_BYTES);
	memcpy(image->bytes + NAMES_AT, names, sizeof(names));
	sections(image)[1] = (Elf64_Shdr){ .sh_type = SHT_STRTAB,
					   .sh_offset = NAMES_AT,
					   .sh_size = sizeof(names) };
	sections(image)[2] = (Elf64_Shdr){ .sh_name = 8,
					   .sh_type = SHT_PROGBITS,
					   .sh_addr = VADDR + HOST_AT,
					   .sh_offset = HOST_AT,
					   .sh_size = HOST_BYTES };
}

static void assert_segment(const Elf64_Phdr *ph, uint64_t offset, uint64_t vaddr, uint64_t size)
{
	assert_int_equal(ph->p_type, PT_LOAD);
	assert_int_equal(ph->p_offset, offset);
	assert_int_equal(ph->p_vaddr, vaddr);
	assert_int_equal(ph->p_filesz, size);
}

static void what_hosts_read_is_cut_out(void **state)
{
	struct image *image = malloc(sizeof(*image));
	const Elf64_Phdr *ph = &image->table;

	(void)state;
	fill(image);
	assert_int_equal(elfloaded_trim(image, sizeof(*image)), DATA_AT + DATA_BYTES - HOST_BYTES);
	assert_int_equal(image->header.e_phnum, NR_HEADERS);
	assert_int_equal(image->header.e_shoff, 0);
	assert_int_equal(ph[0].p_filesz, NR_HEADERS * sizeof(*ph));
	assert_segment(&ph[1], 0, VADDR, HOST_AT);
	assert_segment(&ph[2], HOST_AT, VADDR + HOST_AT + HOST_BYTES, 50);
	assert_segment(&ph[3], DATA_AT - HOST_BYTES, VADDR + DATA_AT + PAGE, DATA_BYTES);
	assert_int_equal(ph[3].p_memsz, PAGE);
	assert_int_equal(ph[4].p_type, PT_GNU_EH_FRAME);
	assert_int_equal(ph[4].p_offset, HOST_AT);
	assert_int_equal(ph[4].p_vaddr, VADDR + HOST_AT + HOST_BYTES);
	assert_int_equal(image->bytes[HOST_AT], 'c');
	assert_int_equal(image->bytes[DATA_AT - HOST_BYTES], 'd');
	free(image);
}

static size_t trimmed(struct image *image)
{
	size_t size = elfloaded_trim(image, sizeof(*image));

	assert_int_equal(image->header.e_phnum, NR_HEADERS);
	fill(image);
	return size;
}

static void what_cannot_be_cut_stays(void **state)
{
	struct image *image = malloc(sizeof(*image));
	const size_t whole = DATA_AT + DATA_BYTES;

	(void)state;
	fill(image);
	image->note.p_type = PT_GNU_STACK;
	assert_int_equal(trimmed(image), whole);
	sections(image)[2].sh_size -= 1;
	assert_int_equal(trimmed(image), whole);
	sections(image)[2].sh_size += PAGE;
	assert_int_equal(trimmed(image), whole);
	sections(image)[2].sh_addr += PAGE;
	assert_int_equal(trimmed(image), whole);
	sections(image)[2].sh_offset = sections(image)[2].sh_addr = 0;
	assert_int_equal(trimmed(image), whole);
	sections(image)[2].sh_name = UINT32_MAX;
	assert_int_equal(trimmed(image), whole);
	sections(image)[1].sh_size = UINT64_MAX;
	assert_int_equal(trimmed(image), whole);
	image->header.e_shoff = sizeof(*image) - 8;
	assert_int_equal(trimmed(image), whole);
	image->constants.p_align = 16 * PAGE;
	assert_int_equal(trimmed(image), whole);
	assert_int_equal(trimmed(image), whole - HOST_BYTES);
	free(image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_loaded_is_kept),
		cmocka_unit_test(others_are_left_whole),
		cmocka_unit_test(what_hosts_read_is_cut_out),
		cmocka_unit_test(what_cannot_be_cut_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
