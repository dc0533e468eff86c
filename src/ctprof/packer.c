// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof/packer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { ZSTD_LEVEL = 1, WINDOW_LOG = 18, LINE_BYTES = 512, PACKED_LIMIT = 256 << 20 };

int packer_init(struct packer *p, uint64_t text_limit)
{
	*p = (struct packer){ .packed = STRBUF_INIT_LIMIT(PACKED_LIMIT), .text_limit = text_limit };
	p->buf = malloc(PACKER_BYTES);
	p->stream = ZSTD_createCCtx();
	if (!p->buf || !p->stream)
		return -ENOMEM;
	ZSTD_CCtx_setParameter(p->stream, ZSTD_c_compressionLevel, ZSTD_LEVEL);
	ZSTD_CCtx_setParameter(p->stream, ZSTD_c_windowLog, WINDOW_LOG);
	ZSTD_CCtx_setParameter(p->stream, ZSTD_c_checksumFlag, 1);
	return 0;
}

void packer_deinit(struct packer *p)
{
	free(p->buf);
	ZSTD_freeCCtx(p->stream);
	strbuf_deinit(&p->packed);
	*p = (struct packer){ 0 };
}

static void compress(struct packer *p, ZSTD_EndDirective end)
{
	ZSTD_inBuffer in = { p->buf, p->len, 0 };
	size_t left = 0;

	p->text_bytes += p->len;
	if (!p->error && p->text_bytes > p->text_limit)
		p->error = -E2BIG;
	while (!p->error && (in.pos < in.size || end == ZSTD_e_end)) {
		ZSTD_outBuffer out = { 0 };

		strbuf_reserve(&p->packed, ZSTD_CStreamOutSize());
		p->error = p->packed.error;
		if (p->error)
			break;
		out.dst = p->packed.data + p->packed.len;
		out.size = p->packed.size - p->packed.len - 1;
		left = ZSTD_compressStream2(p->stream, &out, &in, end);
		if (ZSTD_isError(left))
			p->error = -ENOMEM;
		p->packed.len += out.pos;
		p->packed.data[p->packed.len] = '\0';
		if (end == ZSTD_e_end && !left)
			break;
	}
	p->len = 0;
}

void packer_flush(struct packer *p)
{
	compress(p, ZSTD_e_continue);
}

int packer_finish(struct packer *p)
{
	compress(p, ZSTD_e_end);
	return p->error;
}

void packer_add(struct packer *p, const void *text, size_t len)
{
	const char *at = text;

	while (len) {
		size_t room = PACKER_BYTES - p->len, n = len < room ? len : room;

		memcpy(p->buf + p->len, at, n);
		p->len += n;
		at += n;
		len -= n;
		if (len)
			packer_flush(p);
	}
}

void packer_addf(struct packer *p, const char *fmt, ...)
{
	char line[LINE_BYTES];
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (len < 0 || (size_t)len >= sizeof(line))
		p->error = p->error ? p->error : -E2BIG;
	else
		packer_add(p, line, (size_t)len);
}

/* Called millions of times: no printf. */
char *packer_put_number(char *to, int64_t value)
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324"
				    "25262728293031323334353637383940414243444546474849"
				    "50515253545556575859606162636465666768697071727374"
				    "75767778798081828384858687888990919293949596979899";
	uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	char digits[PACKER_NUMBER_BYTES];
	size_t at = sizeof(digits);

	if (value < 0)
		*to++ = '-';
	if (left < 10) {
		*to++ = (char)('0' + left);
		return to;
	}
	for (; left >= 100; left /= 100) {
		at -= 2;
		memcpy(digits + at, pairs + left % 100 * 2, 2);
	}
	at -= 2;
	memcpy(digits + at, pairs + left * 2, 2);
	at += left < 10;
	memcpy(to, digits + at, sizeof(digits) - at);
	return to + sizeof(digits) - at;
}

void packer_add_number(struct packer *p, int64_t value)
{
	packer_take(p, packer_put_number(packer_room(p, PACKER_NUMBER_BYTES), value));
}
