// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 64 << 10, ALIGN = alignof(max_align_t) };

struct arena_chunk {
	struct arena_chunk *next;
	size_t size;
	alignas(ALIGN) char bytes[];
};

void arena_deinit(struct arena *a)
{
	while (a->chunks) {
		struct arena_chunk *next = a->chunks->next;

		free(a->chunks);
		a->chunks = next;
	}
	a->left = 0;
}

/* A large piece gets a chunk of its own, behind the one that still has room. */
static void *alloc_large(struct arena *a, size_t bytes)
{
	struct arena_chunk *chunk = calloc(1, sizeof(*chunk) + bytes);

	if (!chunk)
		return NULL;
	chunk->size = bytes;
	if (a->chunks) {
		chunk->next = a->chunks->next;
		a->chunks->next = chunk;
	} else {
		a->chunks = chunk;
	}
	return chunk->bytes;
}

void *arena_alloc(struct arena *a, size_t nr, size_t size)
{
	struct arena_chunk *chunk;
	size_t bytes;
	void *at;

	if (__builtin_mul_overflow(nr, size, &bytes) || bytes > (size_t)-1 / 2)
		return NULL;
	bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN;
	if (bytes > a->left && bytes > CHUNK_BYTES / 4)
		return alloc_large(a, bytes);
	if (bytes > a->left) {
		chunk = calloc(1, sizeof(*chunk) + CHUNK_BYTES);
		if (!chunk)
			return NULL;
		chunk->size = a->left = CHUNK_BYTES;
		chunk->next = a->chunks;
		a->chunks = chunk;
	}
	/* Without a chunk only nothing is asked for. */
	if (!a->chunks)
		return alloc_large(a, ALIGN);
	at = a->chunks->bytes + a->chunks->size - a->left;
	a->left -= bytes;
	return at;
}

char *arena_copy(struct arena *a, const char *text, size_t len)
{
	char *copy = arena_alloc(a, len + 1, 1);

	if (copy)
		memcpy(copy, text, len);
	return copy;
}
