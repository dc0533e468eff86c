/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * elfloaded.h - the part of a program that runs, without what only debuggers and hosts read.
 *
 * Source: elf(5).
 */
#ifndef KTSTR_VM_ELFLOADED_H
#define KTSTR_VM_ELFLOADED_H

#include <stddef.h>

/* Bytes that only hosts read (images of guest programs) lie in a section of this name, alone on its
 * pages: it begins and ends at multiples of ELFLOADED_PAGE. */
#define ELFLOADED_HOST_SECTION "ktstr_host"

enum { ELFLOADED_PAGE = 4096 };

/* How many bytes at the front of a file hold all that its program headers name, if its table of
 * sections lies behind them.  Return: 0 if not, or if this is no 64-bit little-endian program. */
size_t elfloaded_bytes(const void *bytes, size_t size);

/* Of a program of @size bytes leaves what elfloaded_bytes() counts, without the table of sections and
 * without ELFLOADED_HOST_SECTION: nothing is mapped at its addresses, and the notes of the program
 * headers are forgotten to describe that.  That section is left where it is if the table is damaged or
 * there is no note.  Return: how many bytes are left; 0: as elfloaded_bytes(), nothing is changed. */
size_t elfloaded_trim(void *bytes, size_t size);

#endif
