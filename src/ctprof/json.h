/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * json.h - JSON text taken apart from front to back, without a tree.
 *
 * The first failure sticks in error: later calls take nothing and report nothing, and the caller
 * looks once at the end.  Nesting is limited, skipped values included.
 *
 *	json_open(&j, '{');
 *	while (json_more(&j, '}')) {
 *		json_key(&j, &key);
 *		...take or json_skip() the value...
 *	}
 *
 * Source: RFC 8259.
 */
#ifndef KTSTR_CTPROF_JSON_H
#define KTSTR_CTPROF_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"

struct json {
	const char *at, *end;
	unsigned int depth, max_depth;
	bool fresh; /* just behind an opening bracket */
	int error;  /* 0, -EBADMSG, -ELOOP or what a strbuf says */
};

static inline struct json json_begin(const char *text, size_t len, unsigned int max_depth)
{
	return (struct json){ .at = text, .end = text + len, .max_depth = max_depth };
}

/* The first character of the next value, 0 at the end. */
char json_peek(struct json *j);
void json_open(struct json *j, char bracket);
/* Behind an opening bracket or a value: does another one follow?  Takes the closing bracket. */
bool json_more(struct json *j, char bracket);
/* A string and its colon. */
void json_key(struct json *j, struct strbuf *ret_key);
void json_take_string(struct json *j, struct strbuf *ret_text);
/* Whole numbers only. */
int64_t json_number(struct json *j);
/* Takes null if it is next. */
bool json_take_null(struct json *j);
void json_skip(struct json *j);
/* Nothing but blanks may be left. */
void json_finish(struct json *j);

/* Appends a JSON string in quotes.  Bytes that are not UTF-8 become \xNN, a backslash two. */
void json_add_bytes(struct strbuf *out, const char *text);
/* Turns what json_add_bytes() made of a text back, in place. */
void json_restore_bytes(struct strbuf *text);

#endif
