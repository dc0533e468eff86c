/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * xxh128.h - XXH3's 128-bit hash, for content that may be damaged but is not forged.
 *
 * Source: the xxHash specification, XXH3 128-bit variant, seed 0, canonical (big-endian) form: what
 * `xxhsum -H2` prints.  The code is the library's own header, compiled into one object, so neither a
 * program of ours nor the guest agent needs a shared library for it.
 */
#ifndef KTSTR_BASE_XXH128_H
#define KTSTR_BASE_XXH128_H

#include <stddef.h>

enum { XXH128_HEX = 33, XXH128_STATE_BYTES = 576 };

struct xxh128 {
	_Alignas(64) unsigned char state[XXH128_STATE_BYTES];
};

void xxh128_init(struct xxh128 *x);
void xxh128_update(struct xxh128 *x, const void *bytes, size_t len);
/* Writes 32 lower-case digits and a NUL: the hash of all so far.  More may be added afterwards. */
void xxh128_final_hex(const struct xxh128 *x, char hex[XXH128_HEX]);

#endif
