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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_check_value),
		cmocka_unit_test(pieces_equal_the_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
