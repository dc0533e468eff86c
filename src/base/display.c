// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "base/display.h"

#include <langinfo.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>

#include "base/utf8.h"

/* Bytes of the character at the front if it may be shown as it is, else 0. */
static size_t take(const char *text, size_t *ret_columns)
{
	unsigned char byte = (unsigned char)*text;
	size_t len = 0;
	uint32_t c;

	*ret_columns = 1;
	if (byte < 0x80)
		return byte >= ' ' && byte != 0x7f ? 1 : 0;
	if (!strcmp(nl_langinfo(CODESET), "UTF-8"))
		len = utf8_length(text, strnlen(text, 4));
	if (!len)
		return 0;
	c = utf8_decode(text, len);
	if (utf8_is_deceptive(c) || wcwidth((wchar_t)c) <= 0)
		return 0;
	*ret_columns = (size_t)wcwidth((wchar_t)c);
	return len;
}

/* The same of what is shown already: never 0 bytes. */
static size_t step(const char *text, size_t *ret_columns)
{
	size_t len = take(text, ret_columns);

	return len ? len : 1;
}

void display_add(struct strbuf *out, const char *text, size_t max)
{
	size_t i = 0;

	while (text[i] && i < max) {
		size_t columns, len = take(text + i, &columns);

		if (len > max - i)
			break;
		if (len)
			strbuf_add(out, text + i, len);
		else
			strbuf_addf(out, "\\x%02x", (unsigned int)(unsigned char)text[i]);
		i += len ? len : 1;
	}
	if (text[i])
		strbuf_addf(out, " ... (%zu bytes cut)", strlen(text + i));
}

size_t display_width(const char *text)
{
	size_t width = 0, columns;

	for (; *text; width += columns)
		text += step(text, &columns);
	return width;
}

size_t display_front(const char *text, size_t columns)
{
	size_t used = 0, at = 0, wide;

	while (text[at]) {
		size_t len = step(text + at, &wide);

		if (used + wide > columns)
			break;
		used += wide;
		at += len;
	}
	return at;
}

const char *display_back(const char *text, size_t columns)
{
	size_t left = display_width(text), wide;

	while (left > columns) {
		text += step(text, &wide);
		left -= wide;
	}
	return text;
}
