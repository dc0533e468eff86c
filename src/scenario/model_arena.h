/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* model_arena.h - memory that is given back all at once. */
#ifndef KTSTR_SCENARIO_MODEL_ARENA_H
#define KTSTR_SCENARIO_MODEL_ARENA_H

#include "base/cleanup.h"
#include "scenario/model.h"
#include "scenario/row_text.h"

enum { MODEL_ARENA_BYTES = 64 << 20 };

DEFINE_CLEANUP(struct model_arena *, model_arena_destroy);
#define _cleanup_model_arena_ _cleanup_(model_arena_destroyp)

/* Zeroed, aligned for any type.  @arena is void so that this is a row_alloc_fn.
 * Return: memory, or NULL: none left, or more than MODEL_ARENA_BYTES in all. */
void *model_arena_alloc(void *arena, size_t size);
char *model_arena_text(struct model_arena *arena, const char *text);

#endif
