// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The least a test can be: what its run costs is the cost of the harness. */
#include <unistd.h>

#include <ktstr/test.h>

static void almost_nothing(struct ktstr *t)
{
	EXPECT_GT(t, getpid(), 1);
}

KTSTR_TEST(empty_body_passes) = {
	.about = "a guest boots, and a body that asks for next to nothing passes",
	.run = almost_nothing,
};

KTSTR_MAIN
