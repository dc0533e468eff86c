// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/symbol.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"

struct symbols {
	int fd;
	Elf *elf;
	Dwarf *dwarf; /* NULL: none */
};

void symbols_close(struct symbols *symbols)
{
	if (!symbols)
		return;
	if (symbols->dwarf)
		dwarf_end(symbols->dwarf);
	if (symbols->elf)
		elf_end(symbols->elf);
	if (symbols->fd >= 0)
		close(symbols->fd);
	free(symbols);
}

DEFINE_CLEANUP(struct symbols *, symbols_close);

struct symbols *symbols_open(const char *program)
{
	_cleanup_(symbols_closep) struct symbols *symbols = calloc(1, sizeof(*symbols));

	if (!symbols || elf_version(EV_CURRENT) == EV_NONE)
		return NULL;
	symbols->fd = open(program, O_RDONLY | O_CLOEXEC);
	if (symbols->fd < 0)
		return NULL;
	symbols->elf = elf_begin(symbols->fd, ELF_C_READ_MMAP, NULL);
	if (!symbols->elf || elf_kind(symbols->elf) != ELF_K_ELF)
		return NULL;
	symbols->dwarf = dwarf_begin_elf(symbols->elf, DWARF_C_READ, NULL);
	return take_ptr(symbols);
}

bool symbols_present(const char *program)
{
	_cleanup_(symbols_closep) struct symbols *symbols = symbols_open(program);
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	while (symbols && (section = elf_nextscn(symbols->elf, section)))
		if (gelf_getshdr(section, &header) && header.sh_type == SHT_SYMTAB)
			return true;
	return false;
}

static const char *name_in_table(Elf_Scn *section, const GElf_Shdr *header, Elf *elf,
				 uint64_t address)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t nr = data && header->sh_entsize ? header->sh_size / header->sh_entsize : 0;
	GElf_Sym symbol;

	for (size_t i = 0; i < nr; i++) {
		if (!gelf_getsym(data, (int)i, &symbol) ||
		    GELF_ST_TYPE(symbol.st_info) != STT_FUNC || address < symbol.st_value ||
		    address - symbol.st_value >= symbol.st_size)
			continue;
		return elf_strptr(elf, header->sh_link, symbol.st_name);
	}
	return NULL;
}

static const char *name_by_symbol(const struct symbols *symbols, uint64_t address)
{
	Elf_Scn *section = NULL;
	const char *name = NULL;
	GElf_Shdr header;

	while (!name && (section = elf_nextscn(symbols->elf, section)))
		if (gelf_getshdr(section, &header) &&
		    (header.sh_type == SHT_SYMTAB || header.sh_type == SHT_DYNSYM))
			name = name_in_table(section, &header, symbols->elf, address);
	return name;
}

/* The innermost function, inlined ones included: that is the one whose line is shown. */
static const char *name_by_scope(Dwarf_Die *unit, uint64_t address)
{
	Dwarf_Die *scopes = NULL;
	int nr = dwarf_getscopes(unit, address, &scopes);
	const char *name = NULL;

	for (int i = 0; i < nr && !name; i++) {
		int tag = dwarf_tag(&scopes[i]);

		if (tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine)
			name = dwarf_diename(&scopes[i]);
	}
	free(scopes);
	return name;
}

/* clang writes no table of address ranges, so units are asked one by one where it is missing. */
static bool find_unit(Dwarf *dwarf, uint64_t address, Dwarf_Die *ret_unit)
{
	Dwarf_Off offset = 0, next;
	size_t header_bytes;

	if (dwarf_addrdie(dwarf, address, ret_unit))
		return true;
	for (; dwarf_nextcu(dwarf, offset, &next, &header_bytes, NULL, NULL, NULL) == 0;
	     offset = next)
		if (dwarf_offdie(dwarf, offset + header_bytes, ret_unit) &&
		    dwarf_haspc(ret_unit, address) == 1)
			return true;
	return false;
}

void symbols_add(const struct symbols *symbols, uint64_t offset, struct strbuf *out)
{
	const char *name = NULL, *file = NULL;
	Dwarf_Line *line = NULL;
	Dwarf_Die unit;
	int number = 0;

	if (symbols && symbols->dwarf && find_unit(symbols->dwarf, offset, &unit)) {
		name = name_by_scope(&unit, offset);
		line = dwarf_getsrc_die(&unit, offset);
	}
	if (line && dwarf_lineno(line, &number) == 0)
		file = dwarf_linesrc(line, NULL, NULL);
	if (!name && symbols)
		name = name_by_symbol(symbols, offset);
	if (!name && !file) {
		strbuf_addf(out, "offset 0x%" PRIx64, offset);
		return;
	}
	strbuf_addf(out, "%s%s", name ? name : "", name && file ? " at " : "");
	if (file)
		strbuf_addf(out, "%s:%d", file, number);
}
