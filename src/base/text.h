/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * text.h - bytes of unknown origin made fit for JSON, XML, KTAP and terminals.
 *
 * What comes out is valid UTF-8 without control characters but newline and tab, and without
 * U+FFFE and U+FFFF (which XML 1.0 forbids); every other byte is written \xNN.
 */
#ifndef KTSTR_BASE_TEXT_H
#define KTSTR_BASE_TEXT_H

#include <stddef.h>

#include "base/strbuf.h"

enum { TEXT_MAX = 2048, TEXT_LONG_MAX = 8192 };

/* Appends at most @max bytes of @bytes, cleaned; what is cut is counted: " ... (N bytes cut)". */
void text_add_clean(struct strbuf *out, const void *bytes, size_t len, size_t max);

/* The same as a malloc'ed string; NULL for lack of memory. */
char *text_clean(const char *text, size_t max);

/* Appends @text with every line of it led by @prefix and ended by a newline. */
void text_add_lines(struct strbuf *out, const char *prefix, const char *text);

/* Appends @text with newlines and tabs as blanks: for formats of one line each. */
void text_add_flat(struct strbuf *out, const char *text);

/* Appends a finite number, whole ones without a fraction, others so that they read back equal. */
void text_add_number(struct strbuf *out, double value);

/* Appends the nanoseconds as a person reads them: "812 us", "34 ms", "2.50 s", "3 min 20 s". */
void text_add_duration(struct strbuf *out, unsigned long long ns);

#endif
