// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "base/lines.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 64 << 10 };

void lines_init(struct lines *lines, int fd, size_t max)
{
	*lines = (struct lines){ .fd = fd, .max = max, .buf = STRBUF_INIT_LIMIT(SIZE_MAX / 4) };
}

void lines_deinit(struct lines *lines)
{
	strbuf_deinit(&lines->buf);
}

/* Return: 1, 0 at the end, -errno. */
static int read_more(struct lines *lines)
{
	struct strbuf *buf = &lines->buf;
	ssize_t n;

	if (lines->start) {
		strbuf_consume(buf, lines->start);
		lines->start = 0;
	}
	strbuf_reserve(buf, CHUNK);
	if (buf->error)
		return buf->error;
	do {
		n = read(lines->fd, buf->data + buf->len, CHUNK);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	buf->len += (size_t)n;
	buf->data[buf->len] = '\0';
	lines->eof = n == 0;
	return n > 0;
}

static int hand_out(struct lines *lines, size_t len, bool whole, struct line *ret_line)
{
	char *text = lines->buf.data + lines->start;

	text[len] = '\0';
	*ret_line = (struct line){ .text = len > lines->max ? NULL : text,
				   .len = len,
				   .offset = lines->offset,
				   .number = ++lines->number,
				   .whole = whole,
				   .too_long = len > lines->max };
	lines->offset += len + whole;
	lines->start += len + whole;
	return 1;
}

/* What is known to be too long is dropped chunk by chunk, only its length is kept. */
static int skip_line(struct lines *lines, struct line *ret_line)
{
	uint64_t dropped = 0;

	for (;;) {
		size_t have = lines->buf.len - lines->start;
		const char *from = lines->buf.data + lines->start;
		const char *newline = memchr(from, '\n', have);
		int r;

		if (newline || lines->eof) {
			hand_out(lines, newline ? (size_t)(newline - from) : have, newline != NULL,
				 ret_line);
			ret_line->text = NULL;
			ret_line->too_long = true;
			ret_line->len += dropped;
			lines->offset += dropped;
			return 1;
		}
		dropped += have;
		lines->start += have;
		r = read_more(lines);
		if (r < 0)
			return r;
	}
}

int lines_next(struct lines *lines, struct line *ret_line)
{
	size_t seen = 0;

	for (;;) {
		size_t have = lines->buf.len - lines->start;
		char *from = have ? lines->buf.data + lines->start : NULL;
		char *newline = have > seen ? memchr(from + seen, '\n', have - seen) : NULL;
		int r;

		if (newline)
			return hand_out(lines, (size_t)(newline - from), true, ret_line);
		if (lines->eof)
			return have ? hand_out(lines, have, false, ret_line) : 0;
		if (have > lines->max)
			return skip_line(lines, ret_line);
		seen = have;
		r = read_more(lines);
		if (r < 0)
			return r;
	}
}
