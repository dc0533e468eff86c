/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * page.h - the template of a page, and texts made fit for it.
 *
 * In src/ctprof/page/page.html each {{NAME}} is replaced once; what is put in is not looked at
 * again.  {{STYLE}}, {{SCRIPT}} and the hashes of both (Content-Security-Policy level 2) are the
 * template's own.
 */
#ifndef KTSTR_CTPROF_PAGE_H
#define KTSTR_CTPROF_PAGE_H

#include <stddef.h>

#include "base/strbuf.h"

struct page_part {
	const char *name; /* "TITLE" */
	const char *text; /* HTML, or JSON in which '<' is escaped */
};

/* Appends the page.  Return: 0, -EINVAL (the template names an unknown part), -ENOMEM, -E2BIG. */
int page_build(const struct page_part *parts, size_t nr, struct strbuf *out) KTSTR_MUST_CHECK;
/* The same of any template. */
int page_expand(const char *html, const struct page_part *parts, size_t nr,
		struct strbuf *out) KTSTR_MUST_CHECK;

/* Appends a text of any bytes so that it is that text in HTML, in attributes too. */
void page_add_html(struct strbuf *out, const char *text);
/* Appends it as a JSON string that may stand in a script element. */
void page_add_json(struct strbuf *out, const char *text);
/* Appends base64 of RFC 4648, section 4. */
void page_add_base64(struct strbuf *out, const unsigned char *bytes, size_t len);

#endif
