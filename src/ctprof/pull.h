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
void pull_skip(struct pull *j);
/* Nothing but blanks may be left. */
void pull_finish(struct pull *j);

/* Appends a JSON string in quotes.  Bytes that are not UTF-8 become \xNN, a backslash two. */
void pull_add_bytes(struct strbuf *out, const char *text);
/* Turns what pull_add_bytes() made of a text back, in place. */
void pull_restore_bytes(struct strbuf *text);

#endif
