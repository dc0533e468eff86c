// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "base/huge.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

void *huge_alloc(size_t bytes)
{
	size_t size;
	void *at;

	if (bytes > PTRDIFF_MAX - HUGE_PAGE_BYTES)
		return NULL;
	size = (bytes + HUGE_PAGE_BYTES - 1) / HUGE_PAGE_BYTES * HUGE_PAGE_BYTES;
	at = aligned_alloc(HUGE_PAGE_BYTES, size ? size : HUGE_PAGE_BYTES);
	/* A kernel without them says so, and nothing else changes. */
	if (at)
		madvise(at, size, MADV_HUGEPAGE);
	return at;
}
