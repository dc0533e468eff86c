/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * packer.h - text that goes straight into a zstd frame.
 *
 * Only a piece of the text is in memory at a time; the frame grows in packed.  The first failure
 * sticks in error, and later additions do nothing.
 */
#ifndef KTSTR_CTPROF_PACKER_H
#define KTSTR_CTPROF_PACKER_H

#include <stdint.h>
#include <string.h>
#include <zstd.h>

#include "base/strbuf.h"

enum { PACKER_BYTES = 128 << 10, PACKER_NUMBER_BYTES = 24 };

struct packer {
	ZSTD_CCtx *stream;
	struct strbuf packed;
	char *buf; /* PACKER_BYTES */
	size_t len;
	uint64_t text_bytes, text_limit;
	int error; /* 0, -ENOMEM, -E2BIG */
};

/* @text_limit: bytes of text, -E2BIG beyond.  Return: 0, -ENOMEM; packer_deinit() either way. */
int packer_init(struct packer *p, uint64_t text_limit) KTSTR_MUST_CHECK;
void packer_deinit(struct packer *p);
/* Ends the frame.  Return: 0 or the error that stuck. */
int packer_finish(struct packer *p) KTSTR_MUST_CHECK;
/* Hands the buffered text to the compressor. */
void packer_flush(struct packer *p);
void packer_add(struct packer *p, const void *text, size_t len);
void packer_addf(struct packer *p, const char *fmt, ...) KTSTR_PRINTF(2, 3);
void packer_add_number(struct packer *p, int64_t value);
/* The decimal digits of @value, at most PACKER_NUMBER_BYTES.  Return: behind them. */
char *packer_put_number(char *to, int64_t value);

/* Room for @len bytes, PACKER_BYTES at most, to be written at once; packer_take() says how many
 * were. */
static inline char *packer_room(struct packer *p, size_t len)
{
	if (PACKER_BYTES - p->len < len)
		packer_flush(p);
	return p->buf + p->len;
}

static inline void packer_take(struct packer *p, const char *end)
{
	p->len = (size_t)(end - p->buf);
}

static inline void packer_addstr(struct packer *p, const char *text)
{
	packer_add(p, text, strlen(text));
}

static inline void packer_addch(struct packer *p, char c)
{
	if (p->len == PACKER_BYTES)
		packer_flush(p);
	p->buf[p->len++] = c;
}

#endif
