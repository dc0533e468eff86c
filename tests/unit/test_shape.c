// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/scratch.h"
#include <ktstr/topology.h>

static struct scratch scratch;

__attribute__((format(printf, 2, 3))) static void put(const char *text, const char *fmt, ...)
{
	char name[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	scratch_text(&scratch, name, text);
}

static void put_range(uint32_t first, uint32_t count, const char *name)
{
	char text[64];

	if (count == 1)
		snprintf(text, sizeof(text), "%u\n", first);
	else
		snprintf(text, sizeof(text), "%u-%u\n", first, first + count - 1);
	put(text, "%s", name);
}

static void put_cpu(uint32_t cpu, uint32_t per_core, uint32_t per_llc)
{
	static const char *const levels[] = { "1\n", "1\n", "2\n", "3\n" };
	char name[128];

	snprintf(name, sizeof(name), "devices/system/cpu/cpu%u/topology/core_cpus_list", cpu);
	put_range(cpu / per_core * per_core, per_core, name);
	for (int i = 0; i < 4; i++) {
		put(levels[i], "devices/system/cpu/cpu%u/cache/index%d/level", cpu, i);
		snprintf(name, sizeof(name),
			 "devices/system/cpu/cpu%u/cache/index%d/shared_cpu_list", cpu, i);
		put_range(cpu / (i == 3 ? per_llc : per_core) * (i == 3 ? per_llc : per_core),
			  i == 3 ? per_llc : per_core, name);
	}
}

/* A sysfs tree that shows @t. */
static void put_sysfs(const struct ktstr_topology *t)
{
	uint32_t per_core = t->threads_per_core, per_llc = per_core * t->cores_per_llc;
	uint32_t nr_cpus = per_llc * t->llcs, per_node = nr_cpus / t->nodes;
	char name[128];

	put_range(0, nr_cpus, "devices/system/cpu/online");
	put_range(0, t->nodes, "devices/system/node/online");
	for (uint32_t cpu = 0; cpu < nr_cpus; cpu++)
		put_cpu(cpu, per_core, per_llc);
	for (uint32_t node = 0; node < t->nodes; node++) {
		char text[64] = "";

		for (uint32_t i = 0; i < t->nodes; i++)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%d",
				 i ? " " : "", i == node ? 10 : 20);
		put(text, "devices/system/node/node%u/distance", node);
		snprintf(name, sizeof(name), "devices/system/node/node%u/cpulist", node);
		put_range(node * per_node, per_node, name);
	}
}

static void topologies_read_back_as_asked(void **state)
{
	static const char *const texts[] = { "1n1l1c1t", "1n2l2c1t", "1n1l2c2t", "2n4l2c2t",
					     "4n4l1c1t", "8n8l1c2t", "2n2l4c1t" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct ktstr_error err = { 0 };
		struct ktstr_topology t;
		struct ktstr_shape shape;

		assert_int_equal(ktstr_topology_parse(texts[i], &t, &err), 0);
		scratch_destroy(&scratch);
		scratch_create(&scratch);
		put_sysfs(&t);
		if (ktstr_shape_read(scratch.dir, &shape, &err) < 0)
			fail_msg("%s", err.text);
		assert_int_equal(ktstr_shape_matches(&shape, &t, &err), 0);
	}
}

static void every_difference_is_named(void **state)
{
	static const struct {
		const char *file, *text, *says;
	} cases[] = {
		{ "devices/system/cpu/online", "0-6", "7 CPUs instead of 8" },
		{ "devices/system/node/online", "0", "1 nodes instead of 2" },
		{ "devices/system/cpu/cpu3/cache/index3/shared_cpu_list", "0-7",
		  "CPU 2 has core 2, LLC 2, node 0 instead of" },
		{ "devices/system/cpu/cpu5/cache/index3/shared_cpu_list", "0-7",
		  "CPU 5 has core 5, LLC 0, node 1 instead of CPU 5 with core 5, LLC 4, node 1" },
		{ "devices/system/cpu/cpu1/topology/core_cpus_list", "0-1",
		  "CPU 1 has core 0, LLC 0, node 0 instead of CPU 1 with core 1" },
		{ "devices/system/node/node1/cpulist", "4-6", "CPU 7 has core 7, LLC 4, node 0" },
		{ "devices/system/node/node0/distance", "10 21",
		  "distance from node 0 to 1 is 21 instead of 20" },
	};
	const struct ktstr_topology t = { 2, 2, 4, 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ktstr_error err = { 0 };
		struct ktstr_shape shape;

		scratch_destroy(&scratch);
		scratch_create(&scratch);
		put_sysfs(&t);
		put(cases[i].text, "%s", cases[i].file);
		if (i == 1)
			put("10", "devices/system/node/node0/distance");
		if (i == 2)
			put("2-3", "devices/system/cpu/cpu2/cache/index3/shared_cpu_list");
		if (ktstr_shape_read(scratch.dir, &shape, &err) < 0)
			fail_msg("%s", err.text);
		assert_int_equal(ktstr_shape_matches(&shape, &t, &err), -EXDEV);
		if (!strstr(err.text, cases[i].says))
			fail_msg("'%s' is not in '%s'", cases[i].says, err.text);
		assert_non_null(strstr(err.text, "not the topology '2n2l4c1t'"));
		assert_non_null(strstr(err.text, "; wanted: 8 CPUs; LLC 0-3 | 4-7; "));
	}
}

static void damaged_files_are_refused(void **state)
{
	static const struct {
		const char *file, *text;
		int code;
	} cases[] = {
		{ "devices/system/cpu/online", "", -EINVAL },
		{ "devices/system/cpu/online", "0-3,x", -EINVAL },
		{ "devices/system/cpu/online", "0-300", -ERANGE },
		{ "devices/system/cpu/cpu0/topology/core_cpus_list", "1", -EINVAL },
		{ "devices/system/cpu/cpu0/cache/index3/level", "three", -EINVAL },
		{ "devices/system/cpu/cpu0/cache/index3/level", "0", -EINVAL },
		{ "devices/system/cpu/cpu0/cache/index3/shared_cpu_list", "2-3", -EINVAL },
		{ "devices/system/node/online", "", -EINVAL },
		{ "devices/system/node/online", "0,2", -ERANGE },
		{ "devices/system/node/online", "0-8", -ERANGE },
		{ "devices/system/node/node0/distance", "10", -EINVAL },
		{ "devices/system/node/node0/distance", "10 20 30", -EINVAL },
		{ "devices/system/node/node0/distance", "10 300", -EINVAL },
		{ "devices/system/node/node1/cpulist", "?", -EINVAL },
	};
	const struct ktstr_topology t = { 2, 2, 1, 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ktstr_shape shape = { .nr_cpus = 99 };
		struct ktstr_error err = { 0 };

		scratch_destroy(&scratch);
		scratch_create(&scratch);
		put_sysfs(&t);
		put(cases[i].text, "%s", cases[i].file);
		assert_int_equal(ktstr_shape_read(scratch.dir, &shape, &err), cases[i].code);
		assert_true(err.text[0] != '\0');
		assert_int_equal(shape.nr_cpus, 99);
	}
}

static void missing_files_are_named(void **state)
{
	struct ktstr_error err = { 0 };
	struct ktstr_shape shape;

	(void)state;
	assert_int_equal(ktstr_shape_read(scratch_path(&scratch, "none"), &shape, &err), -ENOENT);
	assert_int_equal(ktstr_shape_read(scratch.dir, &shape, &err), -ENOENT);
	assert_non_null(strstr(err.text, "cpu/online' is missing; is sysfs mounted?"));
	put("0", "devices/system/cpu/online");
	assert_int_equal(ktstr_shape_read(scratch.dir, &shape, &err), -ENOENT);
	assert_non_null(strstr(err.text, "cpu0/topology/"));
}

static void small_kernels_have_one_node_and_own_caches(void **state)
{
	const struct ktstr_topology t = { .llcs = 2 };
	struct ktstr_shape shape;

	(void)state;
	put("0-1\n", "devices/system/cpu/online");
	put("0\n", "devices/system/cpu/cpu0/topology/thread_siblings_list");
	put("1\n", "devices/system/cpu/cpu1/topology/thread_siblings_list");
	assert_int_equal(ktstr_shape_read(scratch.dir, &shape, NULL), 0);
	assert_int_equal(ktstr_shape_matches(&shape, &t, NULL), 0);
}

static void a_shape_is_one_readable_line(void **state)
{
	const struct ktstr_topology t = { 2, 2, 2, 2 };
	struct ktstr_shape shape;
	char text[256], cut[8];

	(void)state;
	put_sysfs(&t);
	assert_int_equal(ktstr_shape_read(scratch.dir, &shape, NULL), 0);
	ktstr_shape_format(&shape, text, sizeof(text));
	assert_string_equal(text, "8 CPUs; LLC 0-3 | 4-7; cores 0-1 2-3 4-5 6-7; "
				  "nodes 0-3 | 4-7; distances 10 20 / 20 10");
	ktstr_shape_format(&shape, cut, sizeof(cut));
	assert_string_equal(cut, "8 CPUs;");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(topologies_read_back_as_asked, scratch),
		SCRATCH_TEST(every_difference_is_named, scratch),
		SCRATCH_TEST(damaged_files_are_refused, scratch),
		SCRATCH_TEST(missing_files_are_named, scratch),
		SCRATCH_TEST(small_kernels_have_one_node_and_own_caches, scratch),
		SCRATCH_TEST(a_shape_is_one_readable_line, scratch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
