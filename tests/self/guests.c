// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Small tests in VMs; guests.sh knows what must come out. */
#include <errno.h>
#include <unistd.h>

#include <ktstr/test.h>

static void sees_its_cpus(struct ktstr *t)
{
	EXPECT_EQ(t, sysconf(_SC_NPROCESSORS_ONLN), 2);
	ktstr_note(t, "a note from a guest");
	ktstr_measured(t, "pid", getpid(), "");
}

KTSTR_TEST(sees_its_cpus) = {
	.about = "a guest has the CPUs that were asked for",
	.topology = { .cores_per_llc = 2 },
	.run = sees_its_cpus,
};

KTSTR_MAIN
