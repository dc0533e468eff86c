/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * elfloaded.h - the part of a program that runs, without what only debuggers read.
 *
 * Source: elf(5).
 */
#ifndef KTSTR_VM_ELFLOADED_H
#define KTSTR_VM_ELFLOADED_H

#include <stddef.h>

/* How many bytes at the front of a file hold all that its program headers name, if its table of
 * sections lies behind them.  Return: 0 if not, or if this is no 64-bit little-endian program. */
size_t elfloaded_bytes(const void *bytes, size_t size);

/* Takes the table of sections out of the header of a program that elfloaded_bytes() knows. */
void elfloaded_forget_sections(void *bytes);

#endif
