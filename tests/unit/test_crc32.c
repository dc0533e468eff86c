// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc32.h"

static void known_check_value(void **state)
{
	(void)state;
	/* The check value every catalogue gives for CRC-32/ISO-HDLC. */
	assert_int_equal(crc32_update(0, "123456789", 9), 0xcbf43926);
	assert_int_equal(crc32_update(0, "", 0), 0);
}

static void pieces_equal_the_whole(void **state)
{
	(void)state;
	assert_int_equal(crc32_update(crc32_update(0, "1234", 4), "56789", 5), 0xcbf43926);
}

/* Bit by bit, straight from the definition. */
static uint32_t slow_crc32(const unsigned char *bytes, size_t len)
{
	uint32_t crc = ~0u;

	for (size_t i = 0; i < 8 * len; i++)
		crc = (crc >> 1) ^ ((crc ^ bytes[i / 8] >> i % 8) & 1 ? 0xedb88320u : 0);
	return ~crc;
}

static void all_lengths_and_alignments_are_right(void **state)
{
	unsigned char bytes[64];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 151 + 7);
	for (size_t at = 0; at < 8; at++)
		for (size_t len = 0; at + len <= sizeof(bytes); len++)
			assert_int_equal(crc32_update(0, bytes + at, len),
					 slow_crc32(bytes + at, len));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_check_value),
		cmocka_unit_test(pieces_equal_the_whole),
		cmocka_unit_test(all_lengths_and_alignments_are_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
