// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof/page.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/sha256.h"
#include "base/utf8.h"

extern const char page_html[], page_css[], page_js[];

/* Appends the text as plain characters: @escape is called for those that mean something. */
static void add_text(struct strbuf *out, const char *text, void (*escape)(struct strbuf *, char),
		     const char *backslash)
{
	size_t left = strlen(text);

	while (left) {
		size_t len = utf8_length(text, left);
		unsigned char byte = (unsigned char)*text;

		if (!len || byte < ' ' || byte == 0x7f)
			strbuf_addf(out, "%sx%02x", backslash, byte);
		else if (len > 1 && utf8_is_deceptive(utf8_decode(text, len)))
			strbuf_addf(out, "%su%04x", backslash, utf8_decode(text, len));
		else if (len > 1)
			strbuf_add(out, text, len);
		else
			escape(out, *text);
		text += len ? len : 1;
		left -= len ? len : 1;
	}
}

static void escape_html(struct strbuf *out, char c)
{
	if (c == '<')
		strbuf_addstr(out, "&lt;");
	else if (c == '>')
		strbuf_addstr(out, "&gt;");
	else if (c == '&')
		strbuf_addstr(out, "&amp;");
	else if (c == '"')
		strbuf_addstr(out, "&quot;");
	else if (c == '\'')
		strbuf_addstr(out, "&#39;");
	else
		strbuf_addch(out, c);
}

static void escape_json(struct strbuf *out, char c)
{
	if (c == '"' || c == '\\')
		strbuf_addf(out, "\\%c", c);
	else if (c == '<' || c == '>' || c == '&')
		strbuf_addf(out, "\\u%04x", (unsigned int)c);
	else
		strbuf_addch(out, c);
}

void page_add_html(struct strbuf *out, const char *text)
{
	add_text(out, text, escape_html, "\\");
}

void page_add_json(struct strbuf *out, const char *text)
{
	strbuf_addch(out, '"');
	add_text(out, text, escape_json, "\\\\");
	strbuf_addch(out, '"');
}

void page_add_base64(struct strbuf *out, const unsigned char *bytes, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < len; i += 3) {
		size_t nr = len - i < 3 ? len - i : 3;
		unsigned int bits = (unsigned int)bytes[i] << 16;

		bits |= nr > 1 ? (unsigned int)bytes[i + 1] << 8 : 0;
		bits |= nr > 2 ? bytes[i + 2] : 0;
		for (size_t d = 0; d < 4; d++)
			strbuf_addch(out, d <= nr ? digits[bits >> (18 - 6 * d) & 63] : '=');
	}
}

static void add_hash(struct strbuf *out, const char *text)
{
	unsigned char bytes[SHA256_BYTES];
	struct sha256 hash;

	sha256_init(&hash);
	sha256_update(&hash, text, strlen(text));
	sha256_final(&hash, bytes);
	strbuf_addstr(out, "sha256-");
	page_add_base64(out, bytes, sizeof(bytes));
}

static const char *find_part(const struct page_part *parts, size_t nr, const char *name, size_t len)
{
	for (size_t i = 0; i < nr; i++)
		if (strlen(parts[i].name) == len && !memcmp(parts[i].name, name, len))
			return parts[i].text;
	return NULL;
}

int page_expand(const char *html, const struct page_part *parts, size_t nr, struct strbuf *out)
{
	for (;;) {
		const char *mark = strstr(html, "{{"), *end = mark ? strstr(mark, "}}") : NULL;
		const char *text;

		if (!end)
			break;
		strbuf_add(out, html, (size_t)(mark - html));
		text = find_part(parts, nr, mark + 2, (size_t)(end - mark - 2));
		if (!text)
			return -EINVAL;
		strbuf_addstr(out, text);
		html = end + 2;
	}
	strbuf_addstr(out, html);
	return out->error;
}

int page_build(const struct page_part *parts, size_t nr, struct strbuf *out)
{
	enum { OWN = 4, MOST = 16 };
	_cleanup_strbuf_ struct strbuf style_hash = STRBUF_INIT, script_hash = STRBUF_INIT;
	struct page_part all[MOST] = { { "STYLE", page_css }, { "SCRIPT", page_js } };

	if (nr > MOST - OWN)
		return -EINVAL;
	add_hash(&style_hash, page_css);
	add_hash(&script_hash, page_js);
	all[2] = (struct page_part){ "STYLE_HASH", strbuf_str(&style_hash) };
	all[3] = (struct page_part){ "SCRIPT_HASH", strbuf_str(&script_hash) };
	for (size_t i = 0; i < nr; i++)
		all[OWN + i] = parts[i];
	return page_expand(page_html, all, nr + OWN, out);
}
