// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/utf8.h"

/* Bytes of the character at @p if it may be written as it is, else 0. */
static size_t character_size(const unsigned char *p, size_t left)
{
	size_t size = utf8_length(p, left);

	if (size == 1)
		return (*p >= ' ' && *p != 0x7f) || *p == '\n' || *p == '\t' ? 1 : 0;
	/* U+0080 to U+009F are control characters as well. */
	if (size == 2 && *p == 0xc2 && p[1] < 0xa0)
		return 0;
	if (size == 3 && *p == 0xef && p[1] == 0xbf && p[2] >= 0xbe)
		return 0;
	return size;
}

/* Where to cut so that no character is halved. */
static size_t cut_at(const unsigned char *bytes, size_t max)
{
	size_t at = max;

	while (at > 0 && max - at < 3 && (bytes[at] & 0xc0) == 0x80)
		at--;
	return (bytes[at] & 0xc0) == 0x80 ? max : at;
}

void text_add_clean(struct strbuf *out, const void *bytes, size_t len, size_t max)
{
	const unsigned char *p = bytes;
	size_t keep = len > max ? cut_at(p, max) : len;

	for (size_t i = 0; i < keep;) {
		size_t size = character_size(p + i, keep - i);

		if (size)
			strbuf_add(out, p + i, size);
		else
			strbuf_addf(out, "\\x%02x", p[i]);
		i += size ? size : 1;
	}
	if (keep < len)
		strbuf_addf(out, " ... (%zu bytes cut)", len - keep);
}

char *text_clean(const char *text, size_t max)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;

	text_add_clean(&out, text, strlen(text), max);
	return strbuf_take(&out);
}

void text_add_lines(struct strbuf *out, const char *prefix, const char *text)
{
	const char *end;

	for (; *text; text = *end ? end + 1 : end) {
		end = strchrnul(text, '\n');
		strbuf_addf(out, "%s%.*s\n", prefix, (int)(end - text), text);
	}
}

void text_add_flat(struct strbuf *out, const char *text)
{
	for (; *text; text++)
		strbuf_addch(out, *text == '\n' || *text == '\t' ? ' ' : *text);
}

void text_add_number(struct strbuf *out, double value)
{
	char text[40];

	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	strbuf_addstr(out, text);
}

void text_add_duration(struct strbuf *out, unsigned long long ns)
{
	if (ns < NSEC_PER_MSEC)
		strbuf_addf(out, "%llu us", ns / NSEC_PER_USEC);
	else if (ns < NSEC_PER_SEC)
		strbuf_addf(out, "%llu ms", ns / NSEC_PER_MSEC);
	else if (ns < 100 * NSEC_PER_SEC)
		strbuf_addf(out, "%llu.%02llu s", ns / NSEC_PER_SEC,
			    ns % NSEC_PER_SEC / (10 * NSEC_PER_MSEC));
	else
		strbuf_addf(out, "%llu min %llu s", ns / (60 * NSEC_PER_SEC),
			    ns / NSEC_PER_SEC % 60);
}
