// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "base/utf8.h"

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
