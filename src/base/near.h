/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * near.h - which known word was meant by one that nothing has.
 *
 *	struct near near = near_start(word);
 *	for each known name: near_offer(&near, name);
 *	near_hint(&near, buf, sizeof(buf))
 *
 * The distance is the least number of characters to insert, drop, replace or swap with their
 * neighbour (optimal string alignment); up to a third of the word may differ.
 */
#ifndef KTSTR_BASE_NEAR_H
#define KTSTR_BASE_NEAR_H

#include <stddef.h>

enum { NEAR_WORD = 64 }; /* longer words are near nothing */

struct near {
	const char *word, *best;
	size_t distance;
};

struct near near_start(const char *word);
/* @name must live as long as @near.  The first of equally near ones wins. */
void near_offer(struct near *near, const char *name);
/* "; did you mean 'NAME'?", or "" if no name is near.  @buf as snprintf().  Return: @buf. */
const char *near_hint(const struct near *near, char *buf, size_t size);

#endif
