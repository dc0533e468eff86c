/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* utf8.h - which bytes are UTF-8, and which character.  Source: RFC 3629, section 4. */
#ifndef KTSTR_BASE_UTF8_H
#define KTSTR_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the character at the front of @bytes; 0 if there is none, or NUL. */
size_t utf8_length(const void *bytes, size_t len);

/* The character of @len bytes, as utf8_length() says. */
uint32_t utf8_decode(const void *bytes, size_t len);

/* Control characters beyond ASCII, zero-width and direction characters, and tags, with which a name
 * can look like another.  Source: the Unicode Character Database, categories Cc and Cf, and what is
 * ignorable (Default_Ignorable_Code_Point) of plane 14. */
bool utf8_is_deceptive(uint32_t character);

#endif
