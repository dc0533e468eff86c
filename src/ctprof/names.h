/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * names.h - names of workers, sessions and instances as patterns.
 *
 * A name is cut into tokens at blanks and . - _ / : @ + [ ], which stay.  Of each token:
 *	digits only			{N}
 *	lower-case hex, two or more, at least one digit	{H}
 *	letters, then digits		letters{N}
 *	digits, then letters		{N}letters
 *	anything else			as it is
 * In a cgroup's path, moreover: the instance of a unit, name@instance.service, is {I} unless it
 * has one of . _ - in it; and hex of 12 characters or more is an id of one thing, such as a
 * container, and stays.  names_pattern() with ids says what such a path is like.
 *
 * A bucket is what has one pattern.  Its label is the pattern, but tokens on which all its
 * members agree stand there as they are; so the label of a single member is its name.
 */
#ifndef KTSTR_CTPROF_NAMES_H
#define KTSTR_CTPROF_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/strbuf.h"

enum names_rule {
	NAMES_EXACT,
	NAMES_THREAD,
	NAMES_CGROUP,
	NAMES_CGROUP_IDS /* ids of containers are {H} too */
};

enum { NAMES_NONE = UINT32_MAX, NAMES_ID_LEN = 12, NAMES_VARYING = 256 };

/* Appends the pattern of @name. */
void names_pattern(struct strbuf *out, enum names_rule rule, const char *name);

/* Distinct texts, numbered as they come.  Zeroed: empty.  Texts are borrowed. */
struct text_set {
	const char **texts;
	uint32_t *table;
	size_t nr, size, table_size;
	struct text_pointer *pointers; /* where a text was seen last, to be spared its hash */
};

void text_set_deinit(struct text_set *s);
/* Number of @text, added if it is new; NAMES_NONE for lack of memory. */
uint32_t text_set_add(struct text_set *s, const char *text);
/* NAMES_NONE: not there. */
uint32_t text_set_find(const struct text_set *s, const char *text);

/* Names, and the bucket of each. */
struct buckets {
	uint32_t *of;	     /* by number of the name */
	const char **labels; /* by bucket */
	size_t nr;
};

void buckets_deinit(struct buckets *b);
/* Buckets of all @names; labels are kept in @arena.  Return: 0, -ENOMEM. */
int buckets_make(const struct text_set *names, enum names_rule rule, struct arena *arena,
		 struct buckets *ret_buckets);

#endif
