/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* symbol.h - where in its source a program's instruction stands. */
#ifndef KTSTR_RUN_SYMBOL_H
#define KTSTR_RUN_SYMBOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"

struct symbols;

/* Opens an ELF file and its DWARF, if any.  NULL if it cannot be read: then offsets stay bare. */
struct symbols *symbols_open(const char *program);
void symbols_close(struct symbols *symbols);

/* Has the ELF file a table of symbols? */
bool symbols_present(const char *program);

/* Appends "function at file:line", as much of it as is known, else "offset 0x123".
 * @offset counts from the load base.  @symbols may be NULL. */
void symbols_add(const struct symbols *symbols, uint64_t offset, struct strbuf *out);

#endif
