// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "elfmake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct maker {
	struct elfmake_file *file;
	size_t used; /* of strings */
	size_t nr;   /* of entries */
};

static uint64_t add_string(struct maker *m, const char *text)
{
	uint64_t at = m->used;

	if (m->used + strlen(text) + 1 > sizeof(m->file->strings))
		abort();
	memcpy(m->file->strings + at, text, strlen(text) + 1);
	m->used += strlen(text) + 1;
	return at;
}

static void add_entry(struct maker *m, int64_t tag, uint64_t value)
{
	m->file->entries[m->nr++] = (Elf64_Dyn){ .d_tag = tag, .d_un = { .d_val = value } };
}

static Elf64_Phdr segment(uint32_t type, size_t at, size_t size)
{
	return (Elf64_Phdr){
		.p_type = type, .p_offset = at, .p_vaddr = at, .p_filesz = size, .p_memsz = size
	};
}

void elfmake(const struct elfmake *what, struct elfmake_file *ret_file)
{
	struct maker m = { .file = ret_file, .used = 1 };
	size_t strings_at = offsetof(struct elfmake_file, strings);

	memset(ret_file, 0, sizeof(*ret_file));
	ret_file->header = (Elf64_Ehdr){
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			     EV_CURRENT },
		.e_type = what->type ? what->type : ET_DYN,
		.e_machine = what->machine ? what->machine : EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = offsetof(struct elfmake_file, load),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 3,
	};
	ret_file->load = segment(PT_LOAD, 0, sizeof(*ret_file));
	ret_file->interp = segment(PT_NULL, 0, 0);
	if (what->interpreter)
		ret_file->interp =
			segment(PT_INTERP, strings_at + add_string(&m, what->interpreter),
				strlen(what->interpreter) + 1);
	ret_file->dynamic = segment(PT_DYNAMIC, offsetof(struct elfmake_file, entries),
				    sizeof(ret_file->entries));
	for (int i = 0; i < ELFMAKE_NEEDED && what->needed[i]; i++)
		add_entry(&m, DT_NEEDED, add_string(&m, what->needed[i]));
	if (what->rpath)
		add_entry(&m, DT_RPATH, add_string(&m, what->rpath));
	if (what->runpath)
		add_entry(&m, DT_RUNPATH, add_string(&m, what->runpath));
	add_entry(&m, DT_STRTAB, strings_at);
	add_entry(&m, DT_STRSZ, sizeof(ret_file->strings));
}
