/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * elf_file.h - the few things kernels and modules are asked for, read with bounds from any bytes.
 *
 * Offsets and counts from the file are checked against its size before they are used; nothing is
 * mapped, so a file that shrinks meanwhile gives -EINVAL and not a signal.
 */
#ifndef KTSTR_KERNEL_ELF_FILE_H
#define KTSTR_KERNEL_ELF_FILE_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"

enum { ELF_FILE_MAX_HEADERS = 4096, ELF_FILE_MAX_NOTES = 1 << 20 };

/* Reads exactly @len bytes at @offset.  Return: 0, -EINVAL (file ends before), -errno. */
int elf_file_pread(int fd, void *bytes, size_t len, uint64_t offset) KTSTR_MUST_CHECK;

/* Calls @fn for each program header until it returns non-zero, which is returned. */
int elf_file_each_segment(int fd, const Elf64_Ehdr *ehdr,
			  int (*fn)(void *arg, int fd, const Elf64_Phdr *phdr), void *arg);

/* Calls @fn for each note in a PT_NOTE segment. */
struct elf_file_note {
	uint32_t type;
	const char *name; /* name_len bytes, normally with a final NUL */
	uint32_t name_len;
	const unsigned char *desc;
	uint32_t desc_len;
};
int elf_file_each_note(int fd, const Elf64_Phdr *phdr,
		       void (*fn)(void *arg, const struct elf_file_note *note), void *arg);

/* Replaces @out by the content of the section @name.  Return: 0, -ENOENT, -EINVAL, -E2BIG. */
int elf_file_section(int fd, const char *name, struct strbuf *out) KTSTR_MUST_CHECK;

#endif
