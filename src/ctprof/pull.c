// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof/pull.h"

#include <errno.h>
#include <string.h>

#include "base/utf8.h"

static void fail(struct pull *j, int error)
{
	if (!j->error)
		j->error = error;
	j->at = j->end;
}

char pull_peek(struct pull *j)
{
	while (j->at < j->end &&
	       (*j->at == ' ' || *j->at == '\n' || *j->at == '\r' || *j->at == '\t'))
		j->at++;
	return j->at < j->end ? *j->at : '\0';
}

static bool take(struct pull *j, char c)
{
	if (pull_peek(j) != c || j->at >= j->end)
		return false;
	j->at++;
	return true;
}

void pull_open(struct pull *j, char bracket)
{
	if (!take(j, bracket)) {
		fail(j, -EBADMSG);
		return;
	}
	if (++j->depth > j->max_depth)
		fail(j, -ELOOP);
	j->fresh = true;
}

bool pull_more(struct pull *j, char bracket)
{
	bool fresh = j->fresh;

	j->fresh = false;
	if (j->error)
		return false;
	if (take(j, bracket)) {
		j->depth--;
		return false;
	}
	if (!fresh && !take(j, ','))
		fail(j, -EBADMSG);
	return !j->error;
}

static int hex4(struct pull *j)
{
	int value = 0;

	if (j->end - j->at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = *j->at++;
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;

		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

static void add_utf8(struct strbuf *out, uint32_t c)
{
	char bytes[4];
	size_t len = 0;

	if (c < 0x80) {
		bytes[len++] = (char)c;
	} else if (c < 0x800) {
		bytes[len++] = (char)(0xc0 | c >> 6);
		bytes[len++] = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		bytes[len++] = (char)(0xe0 | c >> 12);
		bytes[len++] = (char)(0x80 | (c >> 6 & 0x3f));
		bytes[len++] = (char)(0x80 | (c & 0x3f));
	} else {
		bytes[len++] = (char)(0xf0 | c >> 18);
		bytes[len++] = (char)(0x80 | (c >> 12 & 0x3f));
		bytes[len++] = (char)(0x80 | (c >> 6 & 0x3f));
		bytes[len++] = (char)(0x80 | (c & 0x3f));
	}
	strbuf_add(out, bytes, len);
}

static void unicode_escape(struct pull *j, struct strbuf *out)
{
	int high = hex4(j), low;

	/* A NUL would cut the text short. */
	if (high <= 0 || (high >= 0xdc00 && high < 0xe000)) {
		fail(j, -EBADMSG);
		return;
	}
	if (high < 0xd800 || high >= 0xe000) {
		add_utf8(out, (uint32_t)high);
		return;
	}
	if (j->end - j->at < 6 || *j->at++ != '\\' || *j->at++ != 'u' || (low = hex4(j)) < 0xdc00 ||
	    low >= 0xe000) {
		fail(j, -EBADMSG);
		return;
	}
	add_utf8(out, 0x10000 + (((uint32_t)high & 0x3ff) << 10 | ((uint32_t)low & 0x3ff)));
}

static void escape(struct pull *j, struct strbuf *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	char c = j->at < j->end ? *j->at++ : '\0';
	const char *hit = c ? strchr(from, c) : NULL;

	if (hit)
		strbuf_addch(out, to[hit - from]);
	else if (c == 'u')
		unicode_escape(j, out);
	else
		fail(j, -EBADMSG);
}

void pull_string(struct pull *j, struct strbuf *ret_text)
{
	strbuf_clear(ret_text);
	strbuf_add(ret_text, "", 0);
	if (!take(j, '"')) {
		fail(j, -EBADMSG);
		return;
	}
	while (!j->error) {
		const char *start = j->at;

		while (j->at < j->end && *j->at != '"' && *j->at != '\\' &&
		       (unsigned char)*j->at >= ' ')
			j->at++;
		strbuf_add(ret_text, start, (size_t)(j->at - start));
		if (j->at >= j->end || (unsigned char)*j->at < ' ') {
			fail(j, -EBADMSG);
			break;
		}
		if (*j->at++ == '"')
			break;
		escape(j, ret_text);
	}
	if (ret_text->error)
		fail(j, ret_text->error);
}

void pull_key(struct pull *j, struct strbuf *ret_key)
{
	pull_string(j, ret_key);
	if (!take(j, ':'))
		fail(j, -EBADMSG);
}

int64_t pull_number(struct pull *j)
{
	bool negative = take(j, '-');
	const char *start = j->at;
	int64_t value = 0;

	for (; j->at < j->end && *j->at >= '0' && *j->at <= '9'; j->at++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, *j->at - '0', &value)) {
			fail(j, -EBADMSG);
			return 0;
		}
	}
	if (j->at == start || (j->at < j->end && (*j->at == '.' || *j->at == 'e' || *j->at == 'E')))
		fail(j, -EBADMSG);
	return negative ? -value : value;
}

static bool take_word(struct pull *j, const char *word)
{
	size_t len = strlen(word);

	if (pull_peek(j) != *word || (size_t)(j->end - j->at) < len || memcmp(j->at, word, len))
		return false;
	j->at += len;
	return true;
}

bool pull_null(struct pull *j)
{
	return take_word(j, "null");
}

static void skip_number(struct pull *j)
{
	const char *start = j->at;

	while (j->at < j->end && *j->at && strchr("+-.0123456789eE", *j->at))
		j->at++;
	if (j->at == start)
		fail(j, -EBADMSG);
}

static void skip_string(struct pull *j)
{
	for (j->at++; j->at < j->end && *j->at != '"'; j->at++)
		if (*j->at == '\\')
			j->at++;
	if (j->at >= j->end)
		fail(j, -EBADMSG);
	else
		j->at++;
}

static void skip_scalar(struct pull *j)
{
	if (pull_peek(j) == '"')
		skip_string(j);
	else if (!take_word(j, "true") && !take_word(j, "false") && !pull_null(j))
		skip_number(j);
}

static void skip_key(struct pull *j)
{
	if (pull_peek(j) == '"')
		skip_string(j);
	if (!take(j, ':'))
		fail(j, -EBADMSG);
}

/* Without recursion: what was opened is kept in one bit per level. */
void pull_skip(struct pull *j)
{
	uint64_t objects = 0;
	unsigned int levels = 0;

	do {
		char c = pull_peek(j);

		if (c == '{' || c == '[') {
			pull_open(j, c);
			if (++levels > 63)
				fail(j, -ELOOP);
			objects = objects << 1 | (c == '{');
		} else {
			skip_scalar(j);
		}
		while (levels && !j->error && !pull_more(j, objects & 1 ? '}' : ']')) {
			levels--;
			objects >>= 1;
		}
		if (levels && (objects & 1) && !j->error)
			skip_key(j);
	} while (levels && !j->error);
}

void pull_finish(struct pull *j)
{
	if (pull_peek(j) || j->at < j->end || j->depth)
		fail(j, -EBADMSG);
}

/* Bytes at the front that stand for themselves, whatever follows. */
static size_t count_plain(const unsigned char *s)
{
	size_t nr = 0;

	while (s[nr] >= ' ' && s[nr] < 0x80 && s[nr] != '\\' && s[nr] != '"')
		nr++;
	return nr;
}

void pull_add_bytes(struct strbuf *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	strbuf_addch(out, '"');
	for (;;) {
		size_t len = count_plain(s);

		strbuf_add(out, s, len);
		s += len;
		if (!*s)
			break;
		len = utf8_length(s, strnlen((const char *)s, 4));
		if (!len)
			strbuf_addf(out, "\\\\x%02x", *s);
		else if (*s == '\\')
			strbuf_addstr(out, "\\\\\\\\");
		else if (*s == '"')
			strbuf_addstr(out, "\\\"");
		else if (*s < ' ')
			strbuf_addf(out, "\\u%04x", *s);
		else
			strbuf_add(out, s, len);
		s += len ? len : 1;
	}
	strbuf_addch(out, '"');
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void pull_restore_bytes(struct strbuf *text)
{
	size_t to = 0;

	for (size_t i = 0; i < text->len; i++) {
		const char *s = text->data + i;
		char c = *s;

		/* The text is terminated, so looking three ahead stops at its end in time. */
		if (c == '\\' && s[1] == '\\') {
			i++;
		} else if (c == '\\' && s[1] == 'x' && hex_value(s[2]) >= 0 &&
			   hex_value(s[3]) >= 0 && (hex_value(s[2]) || hex_value(s[3]))) {
			c = (char)(hex_value(s[2]) << 4 | hex_value(s[3]));
			i += 3;
		}
		text->data[to++] = c;
	}
	text->len = to;
	if (text->data)
		text->data[to] = '\0';
}
