// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "scenario/words.h"

static struct ktstr_shape shape_of(const char *text)
{
	struct ktstr_topology topology;
	struct ktstr_shape shape;

	assert_int_equal(ktstr_topology_parse(text, &topology, NULL), 0);
	shape_of_topology(&topology, &shape);
	return shape;
}

static struct cpuset set_of(const char *list)
{
	struct cpuset set;

	assert_int_equal(cpuset_parse(list, &set), 0);
	return set;
}

static void sets(void **state)
{
	struct cpuset set = set_of("0-3,7,63-64,255");
	char buf[64];

	(void)state;
	assert_int_equal(cpuset_count(&set), 8);
	assert_true(cpuset_has(&set, 255));
	assert_false(cpuset_has(&set, 254));
	assert_false(cpuset_has(&set, 256));
	cpuset_add(&set, 256);
	assert_int_equal(cpuset_count(&set), 8);
	assert_string_equal(cpuset_format(&set, buf, sizeof(buf)), "0-3,7,63-64,255");
	assert_string_equal(cpuset_format(&(struct cpuset){ 0 }, buf, sizeof(buf)), "");
	assert_int_equal(cpuset_parse("256", &set), -ERANGE);
	assert_int_equal(cpuset_parse("99999", &set), -ERANGE);
	assert_int_equal(cpuset_parse("3-1", &set), -EINVAL);
	assert_int_equal(cpuset_parse("a", &set), -EINVAL);
	assert_int_equal(cpuset_count(&set), 8);
}

/* 2n4l3c2t: 24 CPUs; LLCs of 6, nodes of 12, cores of 2. */
static const struct {
	const char *words, *within, *wanted;
	int result;
} rows[] = {
	{ "all", "0-23", "0-23", 0 },
	{ "inherit", "3,5", "3,5", 0 },
	{ "cpus:0-3,7", "0-23", "0-3,7", 0 },
	{ "llc:0", "0-23", "0-5", 0 },
	{ "llc:3", "0-23", "18-23", 0 },
	{ "llc:1", "0-7", "6-7", 0 },
	{ "node:1", "0-23", "12-23", 0 },
	{ "core:2", "0-23", "4-5", 0 },
	{ "core:11", "0-23", "22-23", 0 },
	{ "smt:0", "0-5", "0,2,4", 0 },
	{ "smt:1", "0-5", "1,3,5", 0 },
	{ "range:25-75%", "0-7", "2-5", 0 },
	{ "range:0-100%", "4-7", "4-7", 0 },
	{ "range:0-1%", "4-7", "4", 0 },
	{ "range:99-100%", "4-7", "7", 0 },
	{ "disjoint:0/3", "0-7", "0-1", 0 },
	{ "disjoint:1/3", "0-7", "2-4", 0 },
	{ "disjoint:2/3", "0-7", "5-7", 0 },
	{ "disjoint:0/1", "9,11", "9,11", 0 },
	{ "overlap:0/2:50%", "0-7", "0-5", 0 },
	{ "overlap:1/2:50%", "0-7", "0-1,4-7", 0 },
	{ "overlap:0/2:1%", "0-7", "0-4", 0 },
	{ "overlap:0/1:100%", "0-7", "0-7", 0 },
	{ "one:3", "2,4,6,8", "8", 0 },
	{ "random:2", "2,4,6,8", "2,4", 0 },

	{ "", "0-23", NULL, -EINVAL },
	{ "ALL", "0-23", NULL, -EINVAL },
	{ "all ", "0-23", NULL, -EINVAL },
	{ "cpus:", "0-23", NULL, -EINVAL },
	{ "cpus:3-1", "0-23", NULL, -EINVAL },
	{ "llc:", "0-23", NULL, -EINVAL },
	{ "llc:-1", "0-23", NULL, -EINVAL },
	{ "llc:1x", "0-23", NULL, -EINVAL },
	{ "llc:99999999999999", "0-23", NULL, -EINVAL },
	{ "llc:4999999999", "0-23", NULL, -EINVAL },
	{ "range:25-75", "0-23", NULL, -EINVAL },
	{ "range:25%", "0-23", NULL, -EINVAL },
	{ "range:25-75%%", "0-23", NULL, -EINVAL },
	{ "disjoint:1", "0-23", NULL, -EINVAL },
	{ "disjoint:0/2:50%", "0-23", NULL, -EINVAL },
	{ "overlap:0/2", "0-23", NULL, -EINVAL },
	{ "overlap:0/2:50", "0-23", NULL, -EINVAL },
	{ "random:", "0-23", NULL, -EINVAL },
	{ "package:0", "0-23", NULL, -EINVAL },

	{ "cpus:24", "0-23", NULL, -ERANGE },
	{ "cpus:256", "0-23", NULL, -ERANGE },
	{ "cpus:0-3", "0-2", NULL, -ERANGE },
	{ "llc:4", "0-23", NULL, -ERANGE },
	{ "llc:1", "0-5", NULL, -ERANGE },
	{ "node:2", "0-23", NULL, -ERANGE },
	{ "core:12", "0-23", NULL, -ERANGE },
	{ "smt:2", "0-23", NULL, -ERANGE },
	{ "range:75-25%", "0-23", NULL, -ERANGE },
	{ "range:0-101%", "0-23", NULL, -ERANGE },
	{ "range:50-50%", "0-23", NULL, -ERANGE },
	{ "disjoint:2/2", "0-23", NULL, -ERANGE },
	{ "disjoint:0/0", "0-23", NULL, -ERANGE },
	{ "disjoint:0/3", "0-1", NULL, -ERANGE },
	{ "overlap:2/2:50%", "0-23", NULL, -ERANGE },
	{ "overlap:0/2:0%", "0-23", NULL, -ERANGE },
	{ "overlap:0/2:101%", "0-23", NULL, -ERANGE },
	{ "one:4", "2,4,6,8", NULL, -ERANGE },
	{ "random:5", "2,4,6,8", NULL, -ERANGE },
	{ "random:0", "2,4,6,8", NULL, -ERANGE },
	{ "all", "", NULL, -ERANGE },
	{ "disjoint:0/2", "", NULL, -ERANGE },
};

static void words(void **state)
{
	struct ktstr_shape shape = shape_of("2n4l3c2t");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cpuset within = set_of(rows[i].within), set = set_of("250");
		struct ktstr_error err = { 0 };
		char buf[64];

		assert_int_equal(words_cpus(rows[i].words, &shape, &within, NULL, &set, &err),
				 rows[i].result);
		assert_string_equal(cpuset_format(&set, buf, sizeof(buf)),
				    rows[i].wanted ? rows[i].wanted : "250");
		assert_int_equal(err.code, rows[i].result);
		if (rows[i].result && *rows[i].words)
			assert_non_null(strstr(err.text, rows[i].words));
	}
}

static void only_read(void **state)
{
	struct cpuset set = set_of("250");

	(void)state;
	assert_int_equal(words_cpus("llc:77", NULL, NULL, NULL, &set, NULL), 0);
	assert_int_equal(words_cpus("disjoint:3/3", NULL, NULL, NULL, &set, NULL), -ERANGE);
	assert_int_equal(words_cpus("llc:", NULL, NULL, NULL, &set, NULL), -EINVAL);
	assert_true(cpuset_has(&set, 250));
}

/* Each set as often as any other, from the seed alone. */
static void chance(void **state)
{
	struct ktstr_shape shape = shape_of("1n1l4c1t");
	struct cpuset within = set_of("0-3"), set, again;
	uint32_t seen[4] = { 0 };
	struct prng one, two;

	(void)state;
	prng_init(&one, 1, 2);
	prng_init(&two, 1, 2);
	for (int i = 0; i < 4000; i++) {
		assert_int_equal(words_cpus("random:2", &shape, &within, &one, &set, NULL), 0);
		assert_int_equal(words_cpus("random:2", &shape, &within, &two, &again, NULL), 0);
		assert_memory_equal(&set, &again, sizeof(set));
		assert_int_equal(cpuset_count(&set), 2);
		for (uint32_t cpu = 0; cpu < 4; cpu++)
			seen[cpu] += cpuset_has(&set, cpu);
	}
	for (uint32_t cpu = 0; cpu < 4; cpu++)
		assert_in_range(seen[cpu], 1900, 2100);
}

/* Parts of any number cover everything once, in order. */
static void parts_are_a_partition(void **state)
{
	(void)state;
	for (uint32_t cpus = 1; cpus <= 64; cpus++) {
		struct ktstr_topology topology = { .cores_per_llc = cpus };
		struct ktstr_shape shape;
		struct cpuset within;

		shape_of_topology(&topology, &shape);
		cpuset_of_shape(&shape, &within);
		for (uint32_t of = 1; of <= cpus; of++) {
			struct cpuset all = { 0 };
			uint32_t nr = 0;

			for (uint32_t part = 0; part < of; part++) {
				struct cpuset set;
				char text[48];

				snprintf(text, sizeof(text), "disjoint:%u/%u", part, of);
				assert_int_equal(
					words_cpus(text, &shape, &within, NULL, &set, NULL), 0);
				assert_in_range(cpuset_count(&set), cpus / of,
						(cpus + of - 1) / of);
				nr += cpuset_count(&set);
				all.bits[0] |= set.bits[0];
			}
			assert_int_equal(nr, cpus);
			assert_memory_equal(&all, &within, sizeof(all));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets),
		cmocka_unit_test(words),
		cmocka_unit_test(only_read),
		cmocka_unit_test(chance),
		cmocka_unit_test(parts_are_a_partition),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
