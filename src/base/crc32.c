// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "base/crc32.h"

#include <endian.h>
#include <string.h>

enum { STEP = 8 };

/* table[n][b]: what byte b does to the sum when n more bytes follow it. */
static uint32_t table[STEP][256];

__attribute__((constructor)) static void fill_table(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int bit = 0; bit < 8; bit++)
			c = c & 1 ? 0xedb88320u ^ (c >> 1) : c >> 1;
		table[0][i] = c;
	}
	for (int n = 1; n < STEP; n++)
		for (int i = 0; i < 256; i++)
			table[n][i] = table[0][table[n - 1][i] & 0xff] ^ (table[n - 1][i] >> 8);
}

static uint32_t take_step(uint32_t crc, const unsigned char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	word = le64toh(word) ^ crc;
	crc = 0;
	for (int n = 0; n < STEP; n++)
		crc ^= table[STEP - 1 - n][word >> (8 * n) & 0xff];
	return crc;
}

uint32_t crc32_update(uint32_t crc, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;

	crc = ~crc;
	for (; len >= STEP; len -= STEP, p += STEP)
		crc = take_step(crc, p);
	while (len--)
		crc = table[0][(crc ^ *p++) & 0xff] ^ (crc >> 8);
	return ~crc;
}
