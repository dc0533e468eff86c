// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "vm/elfloaded.h"

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { HEADERS_MAX = 64 };

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

static void forget_sections(uint8_t *file)
{
	Elf64_Ehdr header;

	memcpy(&header, file, sizeof(header));
	header.e_shoff = 0;
	header.e_shnum = 0;
	header.e_shstrndx = SHN_UNDEF;
	memcpy(file, &header, sizeof(header));
}

static bool read_section(const uint8_t *file, size_t size, unsigned int index, Elf64_Shdr *ret_sh)
{
	Elf64_Ehdr header;

	memcpy(&header, file, sizeof(header));
	if (index >= header.e_shnum || header.e_shentsize != sizeof(*ret_sh) ||
	    header.e_shoff > size || (size - header.e_shoff) / sizeof(*ret_sh) <= index)
		return false;
	memcpy(ret_sh, file + header.e_shoff + index * sizeof(*ret_sh), sizeof(*ret_sh));
	return true;
}

static bool is_called(const uint8_t *file, size_t size, const Elf64_Shdr *names,
		      const Elf64_Shdr *sh)
{
	static const char wanted[] = ELFLOADED_HOST_SECTION;

	return names->sh_offset <= size && names->sh_size <= size - names->sh_offset &&
	       sh->sh_name <= names->sh_size && sizeof(wanted) <= names->sh_size - sh->sh_name &&
	       !memcmp(file + names->sh_offset + sh->sh_name, wanted, sizeof(wanted));
}

static bool find_host_section(const uint8_t *file, size_t size, Elf64_Shdr *ret_sh)
{
	Elf64_Shdr names, sh;
	Elf64_Ehdr header;

	memcpy(&header, file, sizeof(header));
	if (!read_section(file, size, header.e_shstrndx, &names))
		return false;
	for (unsigned int i = 0; read_section(file, size, i, &sh); i++) {
		if (!is_called(file, size, &names, &sh))
			continue;
		*ret_sh = sh;
		return sh.sh_type == SHT_PROGBITS && sh.sh_size &&
		       !((sh.sh_addr | sh.sh_offset | sh.sh_size) % ELFLOADED_PAGE);
	}
	return false;
}

static bool holds(const Elf64_Phdr *ph, const Elf64_Shdr *sh)
{
	return ph->p_type == PT_LOAD && sh->sh_offset >= ph->p_offset &&
	       sh->sh_offset - ph->p_offset == sh->sh_addr - ph->p_vaddr &&
	       ph->p_filesz == ph->p_memsz && sh->sh_size <= ph->p_filesz &&
	       sh->sh_offset - ph->p_offset <= ph->p_filesz - sh->sh_size;
}

/* The parts of @ph before and behind @sh, which it holds.  Return: how many there are. */
static unsigned int split(const Elf64_Phdr *ph, const Elf64_Shdr *sh, Elf64_Phdr *parts)
{
	uint64_t before = sh->sh_offset - ph->p_offset;
	uint64_t behind = ph->p_filesz - before - sh->sh_size;
	unsigned int nr = 0;

	if (before) {
		parts[nr] = *ph;
		parts[nr].p_filesz = parts[nr].p_memsz = before;
		nr++;
	}
	if (behind) {
		parts[nr] = *ph;
		parts[nr].p_offset += before; /* once the section is gone */
		parts[nr].p_vaddr += before + sh->sh_size;
		parts[nr].p_paddr += before + sh->sh_size;
		parts[nr].p_filesz = parts[nr].p_memsz = behind;
		nr++;
	}
	return nr;
}

struct table {
	Elf64_Phdr ph[HEADERS_MAX + 1];
	unsigned int nr;
	bool found;
};

static bool make_table(const uint8_t *file, const Elf64_Ehdr *header, const Elf64_Shdr *sh,
		       struct table *table)
{
	for (unsigned int i = 0; i < header->e_phnum; i++) {
		Elf64_Phdr ph;

		memcpy(&ph, file + header->e_phoff + i * sizeof(ph), sizeof(ph));
		if (ph.p_type == PT_NOTE || ph.p_type == PT_GNU_PROPERTY)
			continue;
		if (ph.p_type == PT_LOAD && ph.p_align > ELFLOADED_PAGE)
			return false;
		if (holds(&ph, sh) && !table->found) {
			table->found = true;
			table->nr += split(&ph, sh, table->ph + table->nr);
			continue;
		}
		if (ph.p_offset > sh->sh_offset)
			ph.p_offset -= sh->sh_size;
		table->ph[table->nr++] = ph;
	}
	for (unsigned int i = 0; i < table->nr; i++)
		if (table->ph[i].p_type == PT_PHDR)
			table->ph[i].p_filesz = table->ph[i].p_memsz =
				table->nr * sizeof(Elf64_Phdr);
	return table->found && table->nr <= header->e_phnum;
}

/* Return: how many of @kept bytes are left. */
static size_t cut(uint8_t *file, size_t kept, const Elf64_Shdr *sh)
{
	struct table table = { 0 };
	Elf64_Ehdr header;
	size_t end = sh->sh_offset + sh->sh_size;

	memcpy(&header, file, sizeof(header));
	if (header.e_phnum > HEADERS_MAX ||
	    sh->sh_offset < header.e_phoff + header.e_phnum * sizeof(Elf64_Phdr) ||
	    !make_table(file, &header, sh, &table))
		return kept;
	memcpy(file + header.e_phoff, table.ph, table.nr * sizeof(table.ph[0]));
	header.e_phnum = (uint16_t)table.nr;
	memcpy(file, &header, sizeof(header));
	memmove(file + sh->sh_offset, file + end, kept - end);
	return kept - sh->sh_size;
}

size_t elfloaded_trim(void *bytes, size_t size)
{
	size_t kept = elfloaded_bytes(bytes, size);
	Elf64_Shdr sh;

	if (!kept)
		return 0;
	if (find_host_section(bytes, size, &sh))
		kept = cut(bytes, kept, &sh);
	forget_sections(bytes);
	return kept;
}
