// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * The topology a test asks for is the one its body finds in the guest's sysfs.  The agent compares
 * the two before the body starts; these bodies do it again with their own eyes.
 */
#include <unistd.h>

#include <ktstr/test.h>

static void expect_shape(struct ktstr *t, const struct ktstr_topology *wanted)
{
	struct ktstr_error err = { 0 };
	struct ktstr_shape shape;
	char text[1024];

	ASSERT_OK(t, ktstr_shape_read("/sys", &shape, &err));
	ktstr_shape_format(&shape, text, sizeof(text));
	ktstr_note(t, "%s", text);
	if (ktstr_shape_matches(&shape, wanted, &err) < 0)
		KTSTR_FAIL_NOW(t, "%s", err.text);
	EXPECT_EQ(t, sysconf(_SC_NPROCESSORS_ONLN), ktstr_topology_nr_cpus(wanted));
}

#define SHOWS_TOPOLOGY(name, nodes_, llcs_, cores, threads)  \
	static const struct ktstr_topology wanted_##name = { \
		.nodes = nodes_,                             \
		.llcs = llcs_,                               \
		.cores_per_llc = cores,                      \
		.threads_per_core = threads,                 \
	};                                                   \
	static void run_##name(struct ktstr *t)              \
	{                                                    \
		expect_shape(t, &wanted_##name);             \
	}                                                    \
	KTSTR_TEST(name) = {                                                     \
		.about = "a guest of " #nodes_ " nodes, " #llcs_ " LLCs, " #cores \
			 " cores per LLC and " #threads " threads per core",     \
		.topology = {                                                    \
			.nodes = nodes_,                                         \
			.llcs = llcs_,                                           \
			.cores_per_llc = cores,                                  \
			.threads_per_core = threads,                             \
		},                                                               \
		.run = run_##name,                                               \
	}

SHOWS_TOPOLOGY(one_cpu, 1, 1, 1, 1);
SHOWS_TOPOLOGY(two_llcs, 1, 2, 2, 1);
SHOWS_TOPOLOGY(two_threads, 1, 1, 2, 2);
SHOWS_TOPOLOGY(two_nodes, 2, 2, 4, 1);
SHOWS_TOPOLOGY(two_nodes_four_llcs_threads, 2, 4, 2, 2);
SHOWS_TOPOLOGY(four_nodes, 4, 4, 1, 1);
SHOWS_TOPOLOGY(three_of_everything, 3, 3, 3, 1);

KTSTR_MAIN
