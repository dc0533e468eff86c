/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * strbuf.h - a byte string that grows, up to a limit.
 *
 * Invariants: data is NUL-terminated whenever it is not NULL; len <= limit.  The first failure
 * (memory, limit) sticks in error: later additions do nothing, and the caller checks once at the
 * end.  STRBUF_INIT(limit) initialises; strbuf_deinit() releases; both are safe to repeat.
 */
#ifndef KTSTR_BASE_STRBUF_H
#define KTSTR_BASE_STRBUF_H

#include <stdarg.h>
#include <stddef.h>

#include <ktstr/api.h>

struct strbuf {
	char *data;
	size_t len;
	size_t size;
	size_t limit;
	int error; /* 0, -ENOMEM or -E2BIG */
};

enum { STRBUF_LIMIT = 16 << 20 };

#define STRBUF_INIT                   \
	{                             \
		.limit = STRBUF_LIMIT \
	}
#define STRBUF_INIT_LIMIT(bytes) \
	{                        \
		.limit = (bytes) \
	}
#define _cleanup_strbuf_ __attribute__((cleanup(strbuf_deinit)))

void strbuf_deinit(struct strbuf *s);
/* Empties the string, keeps its memory and clears a sticky error. */
void strbuf_clear(struct strbuf *s);
void strbuf_add(struct strbuf *s, const void *bytes, size_t len);
void strbuf_addstr(struct strbuf *s, const char *text);
void strbuf_addch(struct strbuf *s, char c);
/* As a shell reads it back: as it is where that will do, else in quotes. */
void strbuf_add_quoted(struct strbuf *s, const char *word);
void strbuf_addf(struct strbuf *s, const char *fmt, ...) KTSTR_PRINTF(2, 3);
void strbuf_vaddf(struct strbuf *s, const char *fmt, va_list ap) KTSTR_PRINTF(2, 0);
/* Makes room for @len more bytes, so that adding them cannot fail. */
void strbuf_reserve(struct strbuf *s, size_t len);
/* Drops @len bytes from the front. */
void strbuf_consume(struct strbuf *s, size_t len);
/* The text so far, never NULL. */
const char *strbuf_str(const struct strbuf *s);
/* Hands the text over (malloc'ed, never NULL) and empties @s; NULL if an error stuck. */
char *strbuf_take(struct strbuf *s);

#endif
