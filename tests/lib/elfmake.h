/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* elfmake.h - small ELF files with a dynamic section, for tests of what reads them. */
#ifndef KTSTR_TESTS_ELFMAKE_H
#define KTSTR_TESTS_ELFMAKE_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

enum { ELFMAKE_NEEDED = 8, ELFMAKE_BYTES = 4096 };

struct elfmake {
	uint16_t type;	  /* 0: ET_DYN */
	uint16_t machine; /* 0: EM_X86_64 */
	const char *interpreter, *rpath, *runpath;
	const char *needed[ELFMAKE_NEEDED];
};

struct elfmake_file {
	Elf64_Ehdr header;
	Elf64_Phdr load, interp, dynamic;
	Elf64_Dyn entries[ELFMAKE_NEEDED + 6];
	char strings[1024];
};

/* Writes the file's bytes; all of it is one segment at address 0. */
void elfmake(const struct elfmake *what, struct elfmake_file *ret_file);

#endif
