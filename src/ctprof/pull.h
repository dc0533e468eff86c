/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * pull.h - JSON text taken apart from front to back, without a tree.
 *
 * The first failure sticks in error: later calls take nothing and report nothing, and the caller
 * looks once at the end.  Nesting is limited, skipped values included.
 *
 *	pull_open(&j, '{');
 *	while (pull_more(&j, '}')) {
 *		pull_key(&j, &key);
 *		...take or pull_skip() the value...
 *	}
 *
 * Source: RFC 8259.
 */
#ifndef KTSTR_CTPROF_PULL_H
#define KTSTR_CTPROF_PULL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"

struct pull {
	const char *at, *end;
	unsigned int depth, max_depth;
	bool fresh; /* just behind an opening bracket */
	int error;  /* 0, -EBADMSG, -ELOOP or what a strbuf says */
};

static inline struct pull pull_begin(const char *text, size_t len, unsigned int max_depth)
{
	return (struct pull){ .at = text, .end = text + len, .max_depth = max_depth };
}

/* The first character of the next value, 0 at the end. */
char pull_peek(struct pull *j);
void pull_open(struct pull *j, char bracket);
/* Behind an opening bracket or a value: does another one follow?  Takes the closing bracket. */
bool pull_more(struct pull *j, char bracket);
/* A string and its colon. */
void pull_key(struct pull *j, struct strbuf *ret_key);
void pull_string(struct pull *j, struct strbuf *ret_text);
/* Whole numbers only. */
int64_t pull_number(struct pull *j);
/* Takes null if it is next. */
bool pull_null(struct pull *j);
/*
 * A shorter way through a list of numbers: takes a comma and a number of at most 18 digits, or
 * null, if that is what stands there without blanks, and another one or the end of the list
 * follows.  Not for the first of a list.  Return: 1 a number, 0 null, -1 nothing was taken.
 */
static inline int pull_next_number(struct pull *j, int64_t *ret_value)
{
	const char *at = j->at;
	int64_t value = 0;
	bool negative;
	int digits = 0;

	if (j->fresh || j->end - at < 24 || *at++ != ',')
		return -1;
	if (*at == 'n') {
		if (at[1] != 'u' || at[2] != 'l' || at[3] != 'l' || (at[4] != ',' && at[4] != ']'))
			return -1;
		j->at = at + 4;
		return 0;
	}
	negative = *at == '-';
	at += negative;
	for (; *at >= '0' && *at <= '9' && digits < 18; digits++)
		value = value * 10 + (*at++ - '0');
	if (!digits || (*at != ',' && *at != ']'))
		return -1;
	j->at = at;
	*ret_value = negative ? -value : value;
	return 1;
}
void pull_skip(struct pull *j);
/* Nothing but blanks may be left. */
void pull_finish(struct pull *j);

/* Appends a JSON string in quotes.  Bytes that are not UTF-8 become \xNN, a backslash two. */
void pull_add_bytes(struct strbuf *out, const char *text);
/* Turns what pull_add_bytes() made of a text back, in place. */
void pull_restore_bytes(struct strbuf *text);

#endif
