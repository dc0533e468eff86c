/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* crc32.h - the CRC-32 of IEEE 802.3 (reflected, polynomial 0xedb88320), as zlib computes it. */
#ifndef KTSTR_BASE_CRC32_H
#define KTSTR_BASE_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* Continues from @crc; start with 0. */
uint32_t crc32_update(uint32_t crc, const void *bytes, size_t len);

#endif
