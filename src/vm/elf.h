/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * elf.h - what an ELF file asks of the dynamic loader.
 *
 * Only program headers and the dynamic section are read, so stripped files serve.  The file is
 * not trusted.  Source: System V ABI, gABI chapter 5.
 */
#ifndef KTSTR_VM_ELF_H
#define KTSTR_VM_ELF_H

#include <stddef.h>
#include <stdint.h>

#include <ktstr/error.h>

enum { ELF_NEEDED_MAX = 512, ELF_STRING_MAX = 4095 };

struct elf_needs {
	uint8_t class;	       /* ELFCLASS32 or ELFCLASS64 */
	uint16_t machine;      /* EM_X86_64, ... */
	char *interpreter;     /* NULL: none */
	char *rpath, *runpath; /* NULL: none */
	char **needed;	       /* names in order */
	size_t nr_needed;
};

#define _cleanup_elf_needs_ __attribute__((cleanup(elf_needs_deinit)))

/* Reads program or shared library @fd; @name is for messages.
 * Return: 0 (nothing needed: all NULL), -ENOEXEC (not an ELF program or library), -EINVAL
 * (damaged), -ENOMEM; @ret_needs is written on success only. */
int elf_needs_read(int fd, const char *name, struct elf_needs *ret_needs,
		   struct ktstr_error *err) KTSTR_MUST_CHECK;
void elf_needs_deinit(struct elf_needs *needs);

#endif
