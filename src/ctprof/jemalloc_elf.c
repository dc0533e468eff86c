// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof/jemalloc_elf.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/crc32.h"

enum {
	MAX_SECTIONS = 65536,
	MAX_SEGMENTS = 1024,
	MAX_STRINGS = 64 << 20,
	MAX_SYMBOLS = 64 << 20,
	MAX_TLS_SYMBOLS = 65536,
	MAX_IMAGE = 1 << 20,
	CHUNK = 1024
};

struct reader {
	int fd;
	struct jelf *elf;
	Elf64_Ehdr header;
	Elf64_Shdr *sections;
	unsigned int nr_tls_symbols;
};

static int read_at(int fd, uint64_t offset, void *to, size_t len)
{
	size_t done = 0;

	if (offset > INT64_MAX - len)
		return -ENOEXEC;
	while (done < len) {
		ssize_t n = pread(fd, (char *)to + done, len - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ENOEXEC;
		done += (size_t)n;
	}
	return 0;
}

static void take_note(struct jelf *elf, const char *bytes, size_t len)
{
	Elf64_Nhdr note;
	size_t at = 0;

	while (len - at >= sizeof(note)) {
		size_t name, desc;

		memcpy(&note, bytes + at, sizeof(note));
		at += sizeof(note);
		name = ((size_t)note.n_namesz + 3) & ~(size_t)3;
		desc = ((size_t)note.n_descsz + 3) & ~(size_t)3;
		if (name > len - at || desc > len - at - name)
			return;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
		    !memcmp(bytes + at, "GNU", 4) && note.n_descsz <= JELF_BUILD_ID_BYTES) {
			memcpy(elf->build_id, bytes + at + name, note.n_descsz);
			elf->build_id_len = note.n_descsz;
		}
		at += name + desc;
	}
}

static void take_segment(struct reader *r, const Elf64_Phdr *ph)
{
	struct jelf *elf = r->elf;
	char note[4096];

	if (ph->p_type == PT_INTERP)
		elf->is_static = false;
	if (ph->p_type == PT_LOAD && ph->p_flags & PF_X && elf->nr_texts < JELF_TEXTS)
		elf->texts[elf->nr_texts++] =
			(struct jelf_text){ ph->p_offset, ph->p_filesz, ph->p_vaddr };
	if (ph->p_type == PT_TLS) {
		elf->tls_file_offset = ph->p_offset;
		elf->tls_filesz = ph->p_filesz;
		elf->tls_memsz = ph->p_memsz;
		elf->tls_align = ph->p_align;
		elf->tls_vaddr = ph->p_vaddr;
	}
	if (ph->p_type == PT_NOTE && ph->p_filesz <= sizeof(note) &&
	    read_at(r->fd, ph->p_offset, note, ph->p_filesz) == 0)
		take_note(elf, note, ph->p_filesz);
}

static int read_segments(struct reader *r)
{
	unsigned int nr = r->header.e_phnum < MAX_SEGMENTS ? r->header.e_phnum : MAX_SEGMENTS;
	_cleanup_free_ Elf64_Phdr *segments = calloc(nr + 1, sizeof(*segments));
	int e;

	if (!segments)
		return -ENOMEM;
	e = read_at(r->fd, r->header.e_phoff, segments, nr * sizeof(*segments));
	if (e < 0)
		return e;
	r->elf->is_static = r->header.e_type == ET_EXEC;
	for (unsigned int i = 0; i < nr; i++)
		take_segment(r, &segments[i]);
	return 0;
}

static bool ends_with(const char *name, const char *end)
{
	size_t len = strlen(name), end_len = strlen(end);

	return len >= end_len && !strcmp(name + len - end_len, end);
}

static bool is_tsd_name(const char *name)
{
	return !strcmp(name, "tsd_tls") || ends_with(name, "_tsd_tls");
}

static void take_tls_symbol(struct reader *r, const Elf64_Sym *sym, const Elf64_Shdr *strings)
{
	char name[64] = "";
	uint64_t left;

	if (r->elf->tsd_found || r->nr_tls_symbols++ > MAX_TLS_SYMBOLS ||
	    sym->st_name >= strings->sh_size)
		return;
	left = strings->sh_size - sym->st_name;
	if (read_at(r->fd, strings->sh_offset + sym->st_name, name,
		    left < sizeof(name) ? left : sizeof(name)) < 0)
		return;
	if (!memchr(name, '\0', sizeof(name)) || !is_tsd_name(name))
		return;
	r->elf->tsd_found = true;
	r->elf->tsd_value = sym->st_value;
	r->elf->tsd_size = sym->st_size;
}

static void take_function(struct reader *r, const Elf64_Sym *sym, const char *strings, uint64_t len)
{
	const char *name = sym->st_name < len ? strings + sym->st_name : "";

	if (ends_with(name, "mallctl") && strlen(name) < JELF_MALLCTL_BYTES)
		snprintf(r->elf->mallctl, JELF_MALLCTL_BYTES, "%s", name);
}

/* Names of dynamic symbols, terminated; NULL if there are too many or they cannot be read. */
static char *read_strings(const struct reader *r, const Elf64_Shdr *strings)
{
	char *bytes;

	if (strings->sh_size > MAX_STRINGS)
		return NULL;
	bytes = malloc(strings->sh_size + 1);
	if (!bytes)
		return NULL;
	if (read_at(r->fd, strings->sh_offset, bytes, strings->sh_size) < 0) {
		free(bytes);
		return NULL;
	}
	bytes[strings->sh_size] = '\0';
	return bytes;
}

static void take_symbols(struct reader *r, const Elf64_Shdr *table)
{
	const Elf64_Shdr *strings = &r->sections[table->sh_link];
	_cleanup_free_ char *names = NULL;
	uint64_t nr = table->sh_size / sizeof(Elf64_Sym);
	Elf64_Sym chunk[CHUNK];

	if (table->sh_type == SHT_DYNSYM)
		names = read_strings(r, strings);
	for (uint64_t i = 0; i < nr && i < MAX_SYMBOLS; i += CHUNK) {
		size_t some = nr - i < CHUNK ? nr - i : CHUNK;

		if (read_at(r->fd, table->sh_offset + i * sizeof(*chunk), chunk,
			    some * sizeof(*chunk)) < 0)
			return;
		for (size_t k = 0; k < some; k++) {
			if (chunk[k].st_shndx == SHN_UNDEF)
				continue;
			if (ELF64_ST_TYPE(chunk[k].st_info) == STT_TLS)
				take_tls_symbol(r, &chunk[k], strings);
			else if (names && ELF64_ST_TYPE(chunk[k].st_info) == STT_FUNC)
				take_function(r, &chunk[k], names, strings->sh_size);
		}
	}
}

static int symbol_value(struct reader *r, const Elf64_Shdr *relocations, uint64_t index,
			uint64_t *ret_value)
{
	const Elf64_Shdr *table;
	Elf64_Sym sym;
	int e;

	*ret_value = 0;
	if (!index)
		return 0;
	if (relocations->sh_link >= r->header.e_shnum)
		return -ENOEXEC;
	table = &r->sections[relocations->sh_link];
	if (index >= table->sh_size / sizeof(sym))
		return -ENOEXEC;
	e = read_at(r->fd, table->sh_offset + index * sizeof(sym), &sym, sizeof(sym));
	if (e == 0)
		*ret_value = sym.st_value;
	return e;
}

static void take_relocation(struct reader *r, const Elf64_Shdr *table, const Elf64_Rela *rela)
{
	struct jelf *elf = r->elf;
	uint64_t value;

	if (ELF64_R_TYPE(rela->r_info) == R_X86_64_DTPMOD64 ||
	    ELF64_R_TYPE(rela->r_info) == R_X86_64_TLSDESC)
		elf->dynamic_tls = true;
	if (ELF64_R_TYPE(rela->r_info) != R_X86_64_TPOFF64 ||
	    symbol_value(r, table, ELF64_R_SYM(rela->r_info), &value) < 0)
		return;
	value += (uint64_t)rela->r_addend;
	if (elf->tsd_found && value != elf->tsd_value)
		return;
	if (elf->got_found) {
		elf->got_ambiguous |= elf->got_value != value;
		return;
	}
	elf->got_found = true;
	elf->got_address = rela->r_offset;
	elf->got_value = value;
}

static void take_relocations(struct reader *r, const Elf64_Shdr *table)
{
	uint64_t nr = table->sh_size / sizeof(Elf64_Rela);
	Elf64_Rela chunk[CHUNK];

	for (uint64_t i = 0; i < nr && i < MAX_SYMBOLS; i += CHUNK) {
		size_t some = nr - i < CHUNK ? nr - i : CHUNK;

		if (read_at(r->fd, table->sh_offset + i * sizeof(*chunk), chunk,
			    some * sizeof(*chunk)) < 0)
			return;
		for (size_t k = 0; k < some; k++)
			take_relocation(r, table, &chunk[k]);
	}
}

static void for_sections(struct reader *r, uint32_t type,
			 void (*take)(struct reader *, const Elf64_Shdr *))
{
	for (unsigned int i = 0; i < r->header.e_shnum; i++)
		if (r->sections[i].sh_type == type && r->sections[i].sh_link < r->header.e_shnum)
			take(r, &r->sections[i]);
}

static int read_sections(struct reader *r)
{
	size_t size = sizeof(Elf64_Shdr) * r->header.e_shnum;
	_cleanup_free_ Elf64_Shdr *sections = NULL;
	int e;

	if (!r->header.e_shnum || r->header.e_shentsize != sizeof(Elf64_Shdr))
		return 0;
	sections = malloc(size);
	if (!sections)
		return -ENOMEM;
	e = read_at(r->fd, r->header.e_shoff, sections, size);
	if (e < 0)
		return e;
	r->sections = sections;
	for_sections(r, SHT_SYMTAB, take_symbols);
	for_sections(r, SHT_DYNSYM, take_symbols);
	for_sections(r, SHT_RELA, take_relocations);
	r->sections = NULL;
	return 0;
}

int jelf_read(int fd, struct jelf *ret_elf)
{
	struct jelf elf = { 0 };
	struct reader r = { .fd = fd, .elf = &elf };
	int e = read_at(fd, 0, &r.header, sizeof(r.header));

	if (e < 0)
		return e;
	if (memcmp(r.header.e_ident, ELFMAG, SELFMAG) || r.header.e_ident[EI_DATA] != ELFDATA2LSB)
		return -ENOEXEC;
	elf.machine = r.header.e_machine;
	elf.is_64 = r.header.e_ident[EI_CLASS] == ELFCLASS64;
	if (elf.is_64) {
		if (r.header.e_phnum && r.header.e_phentsize != sizeof(Elf64_Phdr))
			return -ENOEXEC;
		e = read_segments(&r);
		if (e < 0)
			return e;
	}
	/* Thread data needs thread-local storage: most files are done here. */
	if (elf.tls_memsz) {
		e = read_sections(&r);
		if (e < 0)
			return e;
	}
	*ret_elf = elf;
	return 0;
}

/* A mapping begins with a page, and so up to one before what its segment begins with. */
int jelf_bias(const struct jelf *elf, uint64_t start, uint64_t offset, uint64_t *ret_bias)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	for (unsigned int i = 0; i < elf->nr_texts; i++) {
		const struct jelf_text *t = &elf->texts[i];

		uint64_t before = t->offset % page;

		if (offset < t->offset - before ||
		    offset - (t->offset - before) >= t->size + before)
			continue;
		*ret_bias = start - offset + t->offset - t->vaddr;
		return 0;
	}
	return -ENOENT;
}

int jelf_tls_crc(int fd, const struct jelf *elf, uint64_t offset, uint64_t size, uint32_t *ret_crc)
{
	_cleanup_free_ unsigned char *image = NULL;

	if (size > MAX_IMAGE || offset > elf->tls_filesz || size > elf->tls_filesz - offset)
		return -ENODATA;
	image = malloc(size + 1);
	if (!image || read_at(fd, elf->tls_file_offset + offset, image, size) < 0)
		return -ENODATA;
	*ret_crc = crc32_update(0, image, size);
	return 0;
}
