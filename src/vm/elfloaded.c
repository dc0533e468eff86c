// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "vm/elfloaded.h"

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static bool is_program(const Elf64_Ehdr *header)
{
	return !memcmp(header->e_ident, ELFMAG, SELFMAG) &&
	       header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_ident[EI_DATA] == ELFDATA2LSB &&
	       header->e_phnum > 0 && header->e_phentsize == sizeof(Elf64_Phdr);
}

size_t elfloaded_bytes(const void *bytes, size_t size)
{
	const uint8_t *file = bytes;
	uint64_t end, table;
	Elf64_Ehdr header;

	if (size < sizeof(header))
		return 0;
	memcpy(&header, file, sizeof(header));
	table = (uint64_t)header.e_phnum * sizeof(Elf64_Phdr);
	if (!is_program(&header) || header.e_phoff > size || table > size - header.e_phoff)
		return 0;
	end = header.e_phoff + table;
	for (unsigned int i = 0; i < header.e_phnum; i++) {
		Elf64_Phdr ph;

		memcpy(&ph, file + header.e_phoff + i * sizeof(ph), sizeof(ph));
		if (ph.p_offset > size || ph.p_filesz > size - ph.p_offset)
			return 0;
		if (ph.p_filesz && ph.p_offset + ph.p_filesz > end)
			end = ph.p_offset + ph.p_filesz;
	}
	return header.e_shoff >= end ? (size_t)end : 0;
}

void elfloaded_forget_sections(void *bytes)
{
	Elf64_Ehdr header;

	memcpy(&header, bytes, sizeof(header));
	header.e_shoff = 0;
	header.e_shnum = 0;
	header.e_shstrndx = SHN_UNDEF;
	memcpy(bytes, &header, sizeof(header));
}
