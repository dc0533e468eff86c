// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "base/utf8.h"

#include "base/cleanup.h"

size_t utf8_length(const void *bytes, size_t len)
{
	const unsigned char *s = bytes;
	unsigned char low = 0x80, high = 0xbf;
	size_t n;

	if (!len || s[0] < 0x80)
		return len && s[0] ? 1 : 0;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (n > len)
		return 0;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

uint32_t utf8_decode(const void *bytes, size_t len)
{
	static const unsigned char first[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	const unsigned char *s = bytes;
	uint32_t c = s[0] & first[len];

	for (size_t i = 1; i < len; i++)
		c = c << 6 | (s[i] & 0x3f);
	return c;
}

bool utf8_is_deceptive(uint32_t c)
{
	static const uint32_t ranges[][2] = {
		{ 0x80, 0x9f },	      { 0xad, 0xad },	    { 0x61c, 0x61c },
		{ 0x180e, 0x180e },   { 0x200b, 0x200f },   { 0x2028, 0x202e },
		{ 0x2060, 0x206f },   { 0xfeff, 0xfeff },   { 0xfff9, 0xffff },
		{ 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		if (c >= ranges[i][0] && c <= ranges[i][1])
			return true;
	return false;
}
