// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "scenario/model_arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 16 << 10 };

struct chunk {
	struct chunk *next;
	size_t size, used;
	alignas(max_align_t) char bytes[];
};

struct model_arena {
	struct chunk *chunks;
	size_t total;
};

struct model_arena *model_arena_create(void)
{
	return calloc(1, sizeof(struct model_arena));
}

void model_arena_destroy(struct model_arena *arena)
{
	struct chunk *next;

	if (!arena)
		return;
	for (struct chunk *c = arena->chunks; c; c = next) {
		next = c->next;
		free(c);
	}
	free(arena);
}

static struct chunk *add_chunk(struct model_arena *arena, size_t size)
{
	struct chunk *c;

	if (size < CHUNK_BYTES)
		size = CHUNK_BYTES;
	if (size > MODEL_ARENA_BYTES - arena->total)
		return NULL;
	c = calloc(1, sizeof(*c) + size);
	if (!c)
		return NULL;
	c->size = size;
	c->next = arena->chunks;
	arena->chunks = c;
	arena->total += size;
	return c;
}

void *model_arena_alloc(void *arg, size_t size)
{
	struct model_arena *arena = arg;
	struct chunk *c = arena->chunks;
	void *memory;

	if (size > MODEL_ARENA_BYTES)
		return NULL;
	size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (!c || c->size - c->used < size)
		c = add_chunk(arena, size);
	if (!c)
		return NULL;
	memory = c->bytes + c->used;
	c->used += size;
	return memory;
}

char *model_arena_text(struct model_arena *arena, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = model_arena_alloc(arena, size);

	return copy ? memcpy(copy, text, size) : NULL;
}
