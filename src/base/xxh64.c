// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "base/xxh64.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

_Static_assert(sizeof(XXH64_state_t) <= sizeof(struct xxh64), "the library's state fits ours");

void xxh64_init(struct xxh64 *x)
{
	XXH64_reset((XXH64_state_t *)x->state, 0);
}

void xxh64_update(struct xxh64 *x, const void *bytes, size_t len)
{
	if (len)
		XXH64_update((XXH64_state_t *)x->state, bytes, len);
}

uint64_t xxh64_value(const struct xxh64 *x)
{
	return XXH64_digest((const XXH64_state_t *)x->state);
}
