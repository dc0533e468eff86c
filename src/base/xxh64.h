/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * xxh64.h - XXH64, seed 0, for content that may be damaged but is not forged.
 *
 * Source: the xxHash specification; `xxhsum -H1` prints the same in hex.  The code is the library's
 * own header, compiled into one object, so that nothing needs a shared library for it.
 */
#ifndef KTSTR_BASE_XXH64_H
#define KTSTR_BASE_XXH64_H

#include <stddef.h>
#include <stdint.h>

enum { XXH64_STATE_WORDS = 11 };

struct xxh64 {
	uint64_t state[XXH64_STATE_WORDS];
};

void xxh64_init(struct xxh64 *x);
void xxh64_update(struct xxh64 *x, const void *bytes, size_t len);
/* The hash of all so far; more may be added afterwards. */
uint64_t xxh64_value(const struct xxh64 *x);

#endif
