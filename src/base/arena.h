/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * arena.h - memory that is released all at once.
 *
 * A zeroed struct arena is empty.  Nothing in it moves or is freed before arena_deinit().
 */
#ifndef KTSTR_BASE_ARENA_H
#define KTSTR_BASE_ARENA_H

#include <stddef.h>

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks;
	size_t left; /* in the first chunk */
};

#define _cleanup_arena_ __attribute__((cleanup(arena_deinit)))

void arena_deinit(struct arena *a);
/* Zeroed, aligned for any type; NULL for lack of memory, or if @nr times @size overflows. */
void *arena_alloc(struct arena *a, size_t nr, size_t size);
/* A terminated copy; NULL for lack of memory. */
char *arena_copy(struct arena *a, const char *text, size_t len);

#endif
