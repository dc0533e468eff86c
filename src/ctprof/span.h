/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * span.h - cutting words and numbers off a text that need not end in NUL.
 *
 * A take_x() function moves the span behind what it took, and leaves it alone otherwise, but for
 * numbers that do not fit (-ERANGE), which are skipped.
 */
#ifndef KTSTR_CTPROF_SPAN_H
#define KTSTR_CTPROF_SPAN_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	const char *at;
	size_t len;
};

static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static inline void advance(struct span *s, size_t len)
{
	s->at += len;
	s->len -= len;
}

static inline void skip_blanks(struct span *s)
{
	while (s->len && is_blank(*s->at))
		advance(s, 1);
}

/* Cuts the next line off @text, without its newline. */
static inline bool next_line(struct span *text, struct span *ret_line)
{
	const char *end;

	if (!text->len)
		return false;
	end = memchr(text->at, '\n', text->len);
	ret_line->at = text->at;
	ret_line->len = end ? (size_t)(end - text->at) : text->len;
	advance(text, ret_line->len + (end ? 1 : 0));
	return true;
}

static inline bool take_prefix(struct span *s, const char *prefix)
{
	size_t len = strlen(prefix);

	if (s->len < len || memcmp(s->at, prefix, len))
		return false;
	advance(s, len);
	return true;
}

static inline int take_digits(struct span *s, int64_t *ret_value)
{
	int64_t value = 0;
	int r = 0;

	if (!s->len || !is_digit(*s->at))
		return -EINVAL;
	for (; s->len && is_digit(*s->at); advance(s, 1))
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, *s->at - '0', &value))
			r = -ERANGE;
	*ret_value = value;
	return r;
}

static inline int take_number(struct span *s, int64_t *ret_value)
{
	bool negative = s->len && *s->at == '-';
	int64_t value;
	int r;

	if (negative)
		advance(s, 1);
	r = take_digits(s, &value);
	if (r < 0)
		return r;
	*ret_value = negative ? -value : value;
	return 0;
}

/* A number that fills the rest of @s but for blanks. */
static inline int whole_number(struct span s, int64_t *ret_value)
{
	int64_t value;
	int r;

	skip_blanks(&s);
	r = take_number(&s, &value);
	if (r < 0)
		return r;
	skip_blanks(&s);
	if (s.len)
		return -EINVAL;
	*ret_value = value;
	return 0;
}

/* Cuts the next word off. */
static inline bool next_word(struct span *s, struct span *ret_word)
{
	size_t len = 0;

	skip_blanks(s);
	while (len < s->len && !is_blank(s->at[len]))
		len++;
	*ret_word = (struct span){ s->at, len };
	advance(s, len);
	return len;
}

#endif
