// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "base/strbuf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void strbuf_deinit(struct strbuf *s)
{
	free(s->data);
	s->data = NULL;
	s->len = 0;
	s->size = 0;
}

void strbuf_clear(struct strbuf *s)
{
	s->len = 0;
	s->error = 0;
	if (s->data)
		s->data[0] = '\0';
}

static int grow(struct strbuf *s, size_t extra)
{
	size_t want, size;
	char *data;

	if (s->error)
		return s->error;
	if (extra > s->limit - s->len)
		return s->error = -E2BIG;
	want = s->len + extra + 1;
	if (want <= s->size)
		return 0;
	size = s->size ? s->size : 64;
	while (size < want)
		size *= 2;
	data = realloc(s->data, size);
	if (!data)
		return s->error = -ENOMEM;
	s->data = data;
	s->size = size;
	return 0;
}

void strbuf_reserve(struct strbuf *s, size_t len)
{
	if (grow(s, len) == 0)
		s->data[s->len] = '\0';
}

void strbuf_add(struct strbuf *s, const void *bytes, size_t len)
{
	if (grow(s, len) < 0)
		return;
	if (len)
		memcpy(s->data + s->len, bytes, len);
	s->len += len;
	s->data[s->len] = '\0';
}

void strbuf_addstr(struct strbuf *s, const char *text)
{
	strbuf_add(s, text, strlen(text));
}

void strbuf_addch(struct strbuf *s, char c)
{
	strbuf_add(s, &c, 1);
}

void strbuf_add_quoted(struct strbuf *s, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-./=:,+@%";

	if (*word && strspn(word, plain) == strlen(word)) {
		strbuf_addstr(s, word);
		return;
	}
	strbuf_addch(s, '\'');
	for (; *word; word++) {
		if (*word == '\'')
			strbuf_addstr(s, "'\\'");
		strbuf_addch(s, *word);
	}
	strbuf_addch(s, '\'');
}

void strbuf_vaddf(struct strbuf *s, const char *fmt, va_list ap)
{
	va_list copy;
	int n;

	va_copy(copy, ap);
	n = vsnprintf(NULL, 0, fmt, copy);
	va_end(copy);
	if (n < 0 || grow(s, (size_t)n) < 0)
		return;
	vsnprintf(s->data + s->len, (size_t)n + 1, fmt, ap);
	s->len += (size_t)n;
}

void strbuf_addf(struct strbuf *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(s, fmt, ap);
	va_end(ap);
}

void strbuf_consume(struct strbuf *s, size_t len)
{
	if (len > s->len)
		len = s->len;
	if (!len)
		return;
	memmove(s->data, s->data + len, s->len - len + 1);
	s->len -= len;
}

const char *strbuf_str(const struct strbuf *s)
{
	return s->data ? s->data : "";
}

char *strbuf_take(struct strbuf *s)
{
	char *data;

	strbuf_add(s, "", 0);
	if (s->error) {
		strbuf_deinit(s);
		return NULL;
	}
	data = s->data;
	s->data = NULL;
	s->len = 0;
	s->size = 0;
	return data;
}
