// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "guest/chance.h"

/* hashlib.sha256(b"ktstr chance" + struct.pack("<QB", seed, block)) of Python, twice. */
static const struct {
	uint64_t seed;
	const char *hex;
} known[] = {
	{ 0, "472907ef6c4d04165c6d5197bdeac2c89e5ae8b15fa278e81d86ef7fd55dfca3"
	     "2c97f7479aed9d918a8925eeadc57cc4ae1fecc34f53a847c683c57a4013d6fd" },
	{ 1, "816dbfc5075851065e1679db2e8e193731cc66c6e081d3872612859d3a71470c"
	     "8544fda77ac84cf643b5560c69838e50108cd6f10a281b3ef9112fee16c9cf70" },
	{ 0xfedcba9876543210, "c7eade51ee3865d648a720f937242e22c12ec72264288cba2cd7c29140191a11"
			      "5062f93542cad397da37bb75e6e33e303950926efedd31686f4f11b9bec05c48" },
};

static void bytes_follow_from_the_seed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		uint8_t bytes[CHANCE_BYTES];
		char hex[2 * CHANCE_BYTES + 1];

		chance_derive(known[i].seed, bytes);
		for (size_t b = 0; b < CHANCE_BYTES; b++)
			snprintf(hex + 2 * b, 3, "%02x", bytes[b]);
		assert_string_equal(hex, known[i].hex);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_follow_from_the_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
