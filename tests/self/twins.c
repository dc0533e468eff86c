// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Two tests of one name, as two libraries linked into one program could bring them. */
#include <ktstr/test.h>

static void passes(struct ktstr *t)
{
	EXPECT_TRUE(t, true);
}

KTSTR_TEST(twin) = { .host_only = true, .run = passes };

static const struct ktstr_entry other_entry = {
	.abi = KTSTR_TEST_ABI,
	.test_size = sizeof(struct ktstr_test),
	.name = "twin",
	.file = "elsewhere.c",
	.line = 7,
	.test = &ktstr_test_twin,
};
__attribute__((KTSTR_RETAIN KTSTR_NOASAN used,
	       section("ktstr_tests"))) static const struct ktstr_entry *const other_slot =
	&other_entry;

KTSTR_MAIN
