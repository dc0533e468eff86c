// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "kernel/elf_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

int elf_file_pread(int fd, void *bytes, size_t len, uint64_t offset)
{
	char *p = bytes;

	if (offset > INT64_MAX - len)
		return -EINVAL;
	while (len) {
		ssize_t n = pread(fd, p, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EINVAL;
		p += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

int elf_file_each_segment(int fd, const Elf64_Ehdr *ehdr,
			  int (*fn)(void *arg, int fd, const Elf64_Phdr *phdr), void *arg)
{
	if (ehdr->e_phentsize != sizeof(Elf64_Phdr) || ehdr->e_phnum > ELF_FILE_MAX_HEADERS)
		return -EINVAL;
	for (unsigned int i = 0; i < ehdr->e_phnum; i++) {
		Elf64_Phdr phdr;
		uint64_t at;
		int r;

		if (__builtin_add_overflow(ehdr->e_phoff, i * sizeof(phdr), &at))
			return -EINVAL;
		r = elf_file_pread(fd, &phdr, sizeof(phdr), at);
		if (r == 0)
			r = fn(arg, fd, &phdr);
		if (r)
			return r;
	}
	return 0;
}

static size_t padded(uint32_t len)
{
	return ((size_t)len + 3) & ~(size_t)3;
}

int elf_file_each_note(int fd, const Elf64_Phdr *phdr,
		       void (*fn)(void *arg, const struct elf_file_note *note), void *arg)
{
	_cleanup_free_ unsigned char *bytes = NULL;
	size_t at = 0, size = phdr->p_filesz;
	int r;

	if (phdr->p_filesz > ELF_FILE_MAX_NOTES)
		return -E2BIG;
	bytes = malloc(size ? size : 1);
	if (!bytes)
		return -ENOMEM;
	r = elf_file_pread(fd, bytes, size, phdr->p_offset);
	if (r < 0)
		return r;
	while (size - at >= sizeof(Elf64_Nhdr)) {
		struct elf_file_note note;
		Elf64_Nhdr head;

		memcpy(&head, bytes + at, sizeof(head));
		at += sizeof(head);
		if (padded(head.n_namesz) > size - at ||
		    head.n_descsz > size - at - padded(head.n_namesz))
			return -EINVAL;
		note = (struct elf_file_note){
			.type = head.n_type,
			.name = (const char *)bytes + at,
			.name_len = head.n_namesz,
			.desc = bytes + at + padded(head.n_namesz),
			.desc_len = head.n_descsz,
		};
		fn(arg, &note);
		at += padded(head.n_namesz) + padded(head.n_descsz);
		if (at > size)
			break;
	}
	return 0;
}

static int read_section(int fd, const Elf64_Shdr *shdr, struct strbuf *out)
{
	char chunk[4096];

	strbuf_clear(out);
	if (shdr->sh_size > out->limit)
		return -E2BIG;
	for (uint64_t at = 0; at < shdr->sh_size;) {
		uint64_t left = shdr->sh_size - at;
		size_t n = left < sizeof(chunk) ? (size_t)left : sizeof(chunk);
		int r = elf_file_pread(fd, chunk, n, shdr->sh_offset + at);

		if (r < 0)
			return r;
		strbuf_add(out, chunk, n);
		at += n;
	}
	strbuf_add(out, "", 0);
	return out->error;
}

static int read_section_header(int fd, const Elf64_Ehdr *ehdr, unsigned int index,
			       Elf64_Shdr *ret_shdr)
{
	uint64_t at;

	if (index >= ehdr->e_shnum ||
	    __builtin_add_overflow(ehdr->e_shoff, (uint64_t)index * sizeof(*ret_shdr), &at))
		return -EINVAL;
	return elf_file_pread(fd, ret_shdr, sizeof(*ret_shdr), at);
}

int elf_file_section(int fd, const char *name, struct strbuf *out)
{
	_cleanup_strbuf_ struct strbuf names = STRBUF_INIT_LIMIT(1 << 20);
	Elf64_Shdr shdr;
	Elf64_Ehdr ehdr;
	int r = elf_file_pread(fd, &ehdr, sizeof(ehdr), 0);

	if (r < 0)
		return r;
	if (memcmp(ehdr.e_ident, ELFMAG, SELFMAG) != 0 || ehdr.e_ident[EI_CLASS] != ELFCLASS64 ||
	    ehdr.e_shentsize != sizeof(shdr) || ehdr.e_shnum > ELF_FILE_MAX_HEADERS)
		return -EINVAL;
	r = read_section_header(fd, &ehdr, ehdr.e_shstrndx, &shdr);
	if (r == 0)
		r = read_section(fd, &shdr, &names);
	for (unsigned int i = 0; r == 0 && i < ehdr.e_shnum; i++) {
		r = read_section_header(fd, &ehdr, i, &shdr);
		/* names.data ends in a NUL, so that a name cannot run past its table. */
		if (r == 0 && shdr.sh_name < names.len && !strcmp(names.data + shdr.sh_name, name))
			return read_section(fd, &shdr, out);
	}
	return r < 0 ? r : -ENOENT;
}
