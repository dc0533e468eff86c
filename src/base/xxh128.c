// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "base/xxh128.h"

#include <stdio.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

_Static_assert(sizeof(XXH3_state_t) <= XXH128_STATE_BYTES, "the library's state fits ours");
_Static_assert(_Alignof(XXH3_state_t) <= _Alignof(struct xxh128), "and so does its alignment");

static XXH3_state_t *state_of(struct xxh128 *x)
{
	return (XXH3_state_t *)(void *)x->state;
}

void xxh128_init(struct xxh128 *x)
{
	XXH3_INITSTATE(state_of(x));
	XXH3_128bits_reset(state_of(x));
}

void xxh128_update(struct xxh128 *x, const void *bytes, size_t len)
{
	if (len)
		XXH3_128bits_update(state_of(x), bytes, len);
}

void xxh128_final_hex(const struct xxh128 *x, char hex[XXH128_HEX])
{
	XXH128_canonical_t bytes;

	XXH128_canonicalFromHash(&bytes,
				 XXH3_128bits_digest((const XXH3_state_t *)(const void *)x->state));
	for (size_t i = 0; i < sizeof(bytes.digest); i++)
		snprintf(hex + 2 * i, 3, "%02x", bytes.digest[i]);
}
