// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>

#include "ctprof/names.h"

enum { FIRST_SIZE = 64, NR_POINTERS = 1024 };

struct text_pointer {
	const char *text;
	uint32_t number;
};

static uint64_t hash_text(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
	return hash ^ hash >> 32;
}

void text_set_deinit(struct text_set *s)
{
	free(s->texts);
	free(s->table);
	free(s->pointers);
	*s = (struct text_set){ 0 };
}

/* The slot of @text in the table, or the free one where it belongs. */
static uint32_t *slot_of(const struct text_set *s, const char *text)
{
	size_t at = hash_text(text) & (s->table_size - 1);

	while (s->table[at] != NAMES_NONE && strcmp(s->texts[s->table[at]], text) != 0)
		at = (at + 1) & (s->table_size - 1);
	return &s->table[at];
}

/* The table has twice the slots of the list. */
static bool grow(struct text_set *s)
{
	size_t size = s->size ? s->size * 2 : FIRST_SIZE;
	const char **texts = reallocarray(s->texts, size, sizeof(*texts));
	uint32_t *table;

	if (!texts)
		return false;
	s->texts = texts;
	table = reallocarray(s->table, size * 2, sizeof(*table));
	if (!table)
		return false;
	s->table = table;
	s->size = size;
	s->table_size = size * 2;
	memset(table, 0xff, s->table_size * sizeof(*table));
	for (size_t i = 0; i < s->nr; i++)
		*slot_of(s, s->texts[i]) = (uint32_t)i;
	return true;
}

static struct text_pointer *pointer_slot(struct text_set *s, const char *text)
{
	if (!s->pointers)
		s->pointers = calloc(NR_POINTERS, sizeof(*s->pointers));
	return s->pointers
		       ? &s->pointers[((uintptr_t)text * 0x9e3779b97f4a7c15u >> 32) % NR_POINTERS]
		       : NULL;
}

uint32_t text_set_add(struct text_set *s, const char *text)
{
	struct text_pointer *seen = pointer_slot(s, text);
	uint32_t *slot;

	if (!seen || (s->nr == s->size && !grow(s)))
		return NAMES_NONE;
	if (seen->text == text)
		return seen->number;
	slot = slot_of(s, text);
	if (*slot == NAMES_NONE) {
		*slot = (uint32_t)s->nr;
		s->texts[s->nr++] = text;
	}
	*seen = (struct text_pointer){ text, *slot };
	return *slot;
}

uint32_t text_set_find(const struct text_set *s, const char *text)
{
	return s->nr ? *slot_of(s, text) : NAMES_NONE;
}
