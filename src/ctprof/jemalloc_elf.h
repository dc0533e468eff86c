/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * jemalloc_elf.h - what an ELF file says about a jemalloc inside it.
 *
 * Files belong to other people's processes: every offset and size is checked, every read bounded.
 *
 * Source: System V ABI (ELF-64), "ELF Handling For Thread-Local Storage" by U. Drepper (x86-64:
 * variant II, R_X86_64_TPOFF64 18, R_X86_64_DTPMOD64 16, R_X86_64_TLSDESC 36).
 */
#ifndef KTSTR_CTPROF_JEMALLOC_ELF_H
#define KTSTR_CTPROF_JEMALLOC_ELF_H

#include "ctprof/jemalloc.h"

enum { JELF_MALLCTL_BYTES = 48, JELF_BUILD_ID_BYTES = 32, JELF_TEXTS = 4 };

/* A segment of code, PT_LOAD with PF_X. */
struct jelf_text {
	uint64_t offset, size, vaddr;
};

struct jelf {
	uint16_t machine;
	bool is_64;
	bool is_static;			    /* ET_EXEC without an interpreter: loads no library */
	struct jelf_text texts[JELF_TEXTS]; /* the first ones */
	unsigned int nr_texts;
	/* PT_TLS; memsz 0: none */
	uint64_t tls_file_offset, tls_filesz, tls_memsz, tls_align, tls_vaddr;
	/* The symbol tsd_tls or *_tsd_tls. */
	bool tsd_found;
	uint64_t tsd_value, tsd_size;
	char mallctl[JELF_MALLCTL_BYTES]; /* exported *mallctl; "": none */
	/* R_X86_64_TPOFF64 relocations by what they point at; the first, or the tsd's. */
	bool got_found, got_ambiguous, dynamic_tls;
	uint64_t got_address; /* of the slot, as linked */
	uint64_t got_value;   /* offset in PT_TLS it stands for */
	uint8_t build_id[JELF_BUILD_ID_BYTES];
	uint32_t build_id_len;
};

/* Return: 0, -ENOEXEC (no ELF file, or damaged), -errno of reading. */
int jelf_read(int fd, struct jelf *ret_elf) KTSTR_MUST_CHECK;
/* What to add to an address as linked, if the file is mapped for execution from @offset on at
 * address @start, whichever part of a segment that is.
 * Return: 0; -ENOENT (no segment of code has that offset). */
int jelf_bias(const struct jelf *elf, uint64_t start, uint64_t offset,
	      uint64_t *ret_bias) KTSTR_MUST_CHECK;
/* CRC-32 of @size bytes of the TLS image from @offset.  Return: 0, -ENODATA (not in the image). */
int jelf_tls_crc(int fd, const struct jelf *elf, uint64_t offset, uint64_t size,
		 uint32_t *ret_crc) KTSTR_MUST_CHECK;
/* Offsets of the counters from the debug information of @fd or of its build id below
 * @debug_root ("/usr/lib/debug").  Return: 0, -ENODATA (there is none, or it has no tsd_s). */
int jemalloc_dwarf_layout(int fd, const struct jelf *elf, const char *debug_root,
			  struct jemalloc_layout *ret_layout) KTSTR_MUST_CHECK;

#endif
