// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "ctprof/cgroup_text.h"
#include "ctprof/walk.h"

#include "../lib/scratch.h"

enum { GROUPS = 100 };

static void make_tree(struct scratch *s, struct cgroup_mounts *mounts)
{
	char name[64], text[32];

	scratch_create(s);
	*mounts = (struct cgroup_mounts){ .nr = 1 };
	snprintf(mounts->list[0].path, sizeof(mounts->list[0].path), "%s", scratch_path(s, "."));
	snprintf(mounts->list[0].root, sizeof(mounts->list[0].root), "/part");
	for (int i = 0; i < GROUPS; i++) {
		snprintf(name, sizeof(name), "g%d/cpu.weight", i);
		snprintf(text, sizeof(text), "%d\n", i + 1);
		scratch_text(s, name, text);
		snprintf(name, sizeof(name), "g%d/cpuset.cpus.effective", i);
		snprintf(text, sizeof(text), "0-%d\n", i % 7);
		scratch_text(s, name, text);
	}
}

static void add_thread(struct builder *b, const char *path)
{
	struct ktstr_ctprof_thread *t = builder_add_thread(b);

	t->tgid = t->tid = (uint32_t)b->nr_threads;
	t->texts[KTSTR_CTPROF_TEXT_CGROUP] = builder_intern(b, path, strlen(path));
}

static void read_with(const struct cgroup_mounts *mounts, unsigned int jobs)
{
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;
	struct builder b = { 0 };
	char text[32];
	int64_t v;

	for (int i = 0; i < 2 * GROUPS; i++) {
		snprintf(text, sizeof(text), "/part/g%d", i % GROUPS);
		add_thread(&b, text);
	}
	add_thread(&b, "/part/gone");
	add_thread(&b, "/other");
	add_thread(&b, "/part/../escaped");
	assert_int_equal(walk_cgroups(&b, mounts, jobs), 0);
	snap = builder_finish(&b);
	assert_int_equal(snap->nr_cgroups, GROUPS);
	for (int i = 0; i < GROUPS; i++) {
		const struct ktstr_ctprof_cgroup *c;

		snprintf(text, sizeof(text), "/part/g%d", i);
		c = ktstr_ctprof_find_cgroup(snap, text);
		assert_non_null(c);
		assert_true(ktstr_ctprof_cgroup_get(c, KTSTR_CTPROF_CGROUP_WEIGHT, &v));
		assert_int_equal(v, i + 1);
		snprintf(text, sizeof(text), "0-%d", i % 7);
		assert_string_equal(c->texts[KTSTR_CTPROF_CGROUP_TEXT_CPUS_EFFECTIVE], text);
		assert_false(ktstr_ctprof_cgroup_get(c, KTSTR_CTPROF_CGROUP_USAGE, &v));
	}
}

static void any_number_of_readers_reads_the_same(void **state)
{
	static struct cgroup_mounts mounts;
	struct scratch s;

	(void)state;
	make_tree(&s, &mounts);
	for (unsigned int jobs = 0; jobs <= 9; jobs += 3)
		read_with(&mounts, jobs);
	scratch_destroy(&s);
}

static void without_a_mount_there_is_nothing(void **state)
{
	static struct cgroup_mounts mounts;
	_cleanup_builder_ struct builder b = { 0 };

	(void)state;
	add_thread(&b, "/");
	assert_int_equal(walk_cgroups(&b, &mounts, 0), 0);
	assert_int_equal(b.nr_cgroups, 0);
	mounts.nr = 1;
	snprintf(mounts.list[0].path, sizeof(mounts.list[0].path), "/nonexistent");
	snprintf(mounts.list[0].root, sizeof(mounts.list[0].root), "/");
	assert_int_equal(walk_cgroups(&b, &mounts, 0), 0);
	assert_int_equal(b.nr_cgroups, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_number_of_readers_reads_the_same),
		cmocka_unit_test(without_a_mount_there_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
