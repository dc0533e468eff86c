/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * display.h - texts of unknown origin, such as names of threads, on a line of a terminal.
 *
 * One rule for all of them: what is UTF-8, where LC_CTYPE is, and takes a column or two is shown.
 * Control characters, bytes that are no UTF-8, and what has no width or turns the direction of
 * writing (combining and zero-width characters, marks of direction) are written \xNN, byte by byte.
 * Where LC_CTYPE is not UTF-8, which it is not before setlocale(), all that is not ASCII is.
 */
#ifndef KTSTR_BASE_DISPLAY_H
#define KTSTR_BASE_DISPLAY_H

#include <stddef.h>

#include "base/strbuf.h"

/* Appends at most @max bytes of @text by the rule; what is cut is counted: " ... (N bytes cut)". */
void display_add(struct strbuf *out, const char *text, size_t max);

/* Columns of what display_add() made: wcwidth(), and one for each byte that is not to be shown. */
size_t display_width(const char *text);

/* Bytes at the front of @text that take at most @columns. */
size_t display_front(const char *text, size_t columns);

/* The end of @text that takes at most @columns. */
const char *display_back(const char *text, size_t columns);

#endif
