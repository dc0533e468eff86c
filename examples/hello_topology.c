// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
// The guest has the CPUs the test asks for, and no sched_ext scheduler has taken over.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <ktstr/test.h>

static const struct ktstr_topology two_by_two = { .llcs = 2, .cores_per_llc = 2 };

static void four_cpus(struct ktstr *t)
{
	ASSERT_EQ(t, sysconf(_SC_NPROCESSORS_ONLN), 4);
}

KTSTR_TEST(guest_has_four_cpus) = {
	.about = "two LLCs of two cores are four CPUs",
	.topology = { .llcs = 2, .cores_per_llc = 2 },
	.run = four_cpus,
};

static void sysfs_agrees(struct ktstr *t)
{
	static struct ktstr_shape shape;
	struct ktstr_error err;
	char text[1024];

	ASSERT_OK(t, ktstr_shape_read("/sys", &shape, NULL));
	ktstr_shape_format(&shape, text, sizeof(text));
	ktstr_note(t, "%s", text);
	if (ktstr_shape_matches(&shape, &two_by_two, &err) < 0)
		KTSTR_FAIL_NOW(t, "%s", err.text);
}

KTSTR_TEST(sysfs_shows_the_topology) = {
	.about = "caches and cores in the guest's sysfs are the declared ones",
	.topology = { .llcs = 2, .cores_per_llc = 2 },
	.run = sysfs_agrees,
};

static void no_scheduler(struct ktstr *t)
{
	char state[32] = "";
	FILE *f = fopen("/sys/kernel/sched_ext/state", "re");

	ASSERT_NOT_NULL(t, f);
	if (!fgets(state, sizeof(state), f))
		state[0] = '\0';
	fclose(f);
	state[strcspn(state, "\n")] = '\0';
	ASSERT_STREQ(t, state, "disabled");
}

KTSTR_TEST(no_scheduler_is_loaded) = {
	.about = "a fresh guest runs the kernel's own scheduler",
	.needs = { .sched_ext = true },
	.run = no_scheduler,
};

KTSTR_MAIN
