/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* utf8.h - which bytes are UTF-8.  Source: RFC 3629, section 4. */
#ifndef KTSTR_BASE_UTF8_H
#define KTSTR_BASE_UTF8_H

#include <stddef.h>

/* Bytes of the character at the front of @bytes; 0 if there is none, or NUL. */
size_t utf8_length(const void *bytes, size_t len);

#endif
