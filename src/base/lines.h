/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* lines.h - the lines of a file one after the other, in bounded memory. */
#ifndef KTSTR_BASE_LINES_H
#define KTSTR_BASE_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"

struct line {
	const char *text; /* without the newline, NUL-terminated; lives until the next call */
	size_t len;
	uint64_t offset; /* of its first byte */
	uint64_t number; /* from 1 */
	bool whole;	 /* a newline ended it; else the file did */
	bool too_long;	 /* over the limit: text is NULL, len counts all of it */
};

struct lines {
	int fd; /* borrowed */
	size_t max;
	struct strbuf buf;
	size_t start; /* of what is not yet handed out */
	uint64_t offset, number;
	bool eof;
};

/* Reads from where @fd stands; lines of more than @max bytes are too long.  @max may be changed
 * between calls. */
void lines_init(struct lines *lines, int fd, size_t max);
void lines_deinit(struct lines *lines);
#define _cleanup_lines_ __attribute__((cleanup(lines_deinit)))

/* Return: 1 and a line, 0 at the end, -ENOMEM, or -errno of read(2). */
int lines_next(struct lines *lines, struct line *ret_line) KTSTR_MUST_CHECK;

#endif
