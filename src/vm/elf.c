// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "vm/elf.h"

#include <elf.h>
#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

enum { PROGRAM_HEADERS_MAX = 1024, DYNAMIC_MAX = 8192 };

DEFINE_CLEANUP(Elf *, elf_end);

struct reader {
	Elf *elf;
	const char *name;
	size_t nr_headers;
	uint64_t strings_at, strings_size; /* in the file */
	struct ktstr_error *err;
};

static int damaged(struct reader *r, const char *why)
{
	return ktstr_error_set(r->err, -EINVAL, "'%s' is a damaged ELF file: %s", r->name, why);
}

/* A string of the file that must end within @max bytes. */
static int dup_string(struct reader *r, uint64_t at, uint64_t max, char **ret_text)
{
	size_t file_size;
	const char *raw = elf_rawfile(r->elf, &file_size);

	if (!raw || at >= file_size)
		return damaged(r, "a string lies outside the file");
	if (max > file_size - at)
		max = file_size - at;
	if (max > ELF_STRING_MAX + 1)
		max = ELF_STRING_MAX + 1;
	if (!memchr(raw + at, '\0', max))
		return damaged(r, "a string does not end");
	free(*ret_text);
	*ret_text = strdup(raw + at);
	return *ret_text ? 0 : ktstr_error_nomem(r->err);
}

static int dup_dynamic_string(struct reader *r, uint64_t offset, char **ret_text)
{
	if (offset >= r->strings_size)
		return damaged(r, "a name lies outside the string table");
	return dup_string(r, r->strings_at + offset, r->strings_size - offset, ret_text);
}

static int address_to_offset(struct reader *r, uint64_t address, uint64_t *ret_offset)
{
	for (size_t i = 0; i < r->nr_headers; i++) {
		GElf_Phdr ph;

		if (!gelf_getphdr(r->elf, (int)i, &ph))
			return damaged(r, "program headers");
		if (ph.p_type != PT_LOAD || address < ph.p_vaddr ||
		    address - ph.p_vaddr >= ph.p_filesz)
			continue;
		if (__builtin_add_overflow(ph.p_offset, address - ph.p_vaddr, ret_offset))
			break;
		return 0;
	}
	return damaged(r, "its string table is in no segment");
}

/* Finds the string table, without which no other entry can be read. */
static int find_strings(struct reader *r, Elf_Data *dynamic, size_t nr)
{
	uint64_t address = 0;
	bool seen = false;

	for (size_t i = 0; i < nr; i++) {
		GElf_Dyn dyn;

		if (!gelf_getdyn(dynamic, (int)i, &dyn) || dyn.d_tag == DT_NULL)
			break;
		if (dyn.d_tag == DT_STRTAB) {
			address = dyn.d_un.d_ptr;
			seen = true;
		}
		if (dyn.d_tag == DT_STRSZ)
			r->strings_size = dyn.d_un.d_val;
	}
	if (!seen)
		return damaged(r, "no string table");
	return address_to_offset(r, address, &r->strings_at);
}

static int add_needed(struct reader *r, struct elf_needs *needs, uint64_t offset)
{
	char **grown;

	if (needs->nr_needed == ELF_NEEDED_MAX)
		return damaged(r, "more needed libraries than any program has");
	grown = reallocarray(needs->needed, needs->nr_needed + 1, sizeof(*grown));
	if (!grown)
		return ktstr_error_nomem(r->err);
	needs->needed = grown;
	grown[needs->nr_needed] = NULL;
	needs->nr_needed++;
	return dup_dynamic_string(r, offset, &grown[needs->nr_needed - 1]);
}

static int read_dynamic(struct reader *r, const GElf_Phdr *ph, struct elf_needs *needs)
{
	Elf_Data *dynamic =
		elf_getdata_rawchunk(r->elf, (int64_t)ph->p_offset, ph->p_filesz, ELF_T_DYN);
	size_t entry = needs->class == ELFCLASS64 ? sizeof(Elf64_Dyn) : sizeof(Elf32_Dyn);
	size_t nr = ph->p_filesz / entry;
	int code;

	if (!dynamic || nr > DYNAMIC_MAX)
		return damaged(r, "its dynamic section lies outside the file");
	code = find_strings(r, dynamic, nr);
	for (size_t i = 0; i < nr && code == 0; i++) {
		GElf_Dyn dyn;

		if (!gelf_getdyn(dynamic, (int)i, &dyn) || dyn.d_tag == DT_NULL)
			break;
		if (dyn.d_tag == DT_NEEDED)
			code = add_needed(r, needs, dyn.d_un.d_val);
		else if (dyn.d_tag == DT_RPATH)
			code = dup_dynamic_string(r, dyn.d_un.d_val, &needs->rpath);
		else if (dyn.d_tag == DT_RUNPATH)
			code = dup_dynamic_string(r, dyn.d_un.d_val, &needs->runpath);
	}
	return code;
}

static int read_headers(struct reader *r, struct elf_needs *needs)
{
	int code = 0;

	if (elf_getphdrnum(r->elf, &r->nr_headers) < 0 || r->nr_headers > PROGRAM_HEADERS_MAX)
		return damaged(r, "program headers");
	for (size_t i = 0; i < r->nr_headers && code == 0; i++) {
		GElf_Phdr ph;

		if (!gelf_getphdr(r->elf, (int)i, &ph))
			return damaged(r, "program headers");
		if (ph.p_type == PT_INTERP)
			code = dup_string(r, ph.p_offset, ph.p_filesz, &needs->interpreter);
		else if (ph.p_type == PT_DYNAMIC && !needs->nr_needed)
			code = read_dynamic(r, &ph, needs);
	}
	return code;
}

int elf_needs_read(int fd, const char *name, struct elf_needs *ret_needs, struct ktstr_error *err)
{
	_cleanup_elf_needs_ struct elf_needs needs = { 0 };
	_cleanup_(elf_endp) Elf *elf = NULL;
	struct reader r = { .name = name, .err = err };
	GElf_Ehdr header;
	int code;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (!elf || elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &header) ||
	    (header.e_type != ET_EXEC && header.e_type != ET_DYN))
		return ktstr_error_set(err, -ENOEXEC, "'%s' is not an ELF program or library",
				       name);
	r.elf = elf;
	needs.class = header.e_ident[EI_CLASS];
	needs.machine = header.e_machine;
	code = read_headers(&r, &needs);
	if (code < 0)
		return code;
	*ret_needs = needs;
	needs = (struct elf_needs){ 0 };
	return 0;
}

void elf_needs_deinit(struct elf_needs *needs)
{
	for (size_t i = 0; i < needs->nr_needed; i++)
		free(needs->needed[i]);
	free(needs->needed);
	free(needs->interpreter);
	free(needs->rpath);
	free(needs->runpath);
	*needs = (struct elf_needs){ 0 };
}
