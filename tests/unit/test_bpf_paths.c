// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "ctprof/bpf_records.h"

/* One part; @name NULL: the root of the tree. */
static int part(struct bpf_paths *paths, uint64_t cgroup, uint32_t up, uint64_t node,
		const char *name)
{
	struct ctprof_path p = { .cgroup = cgroup, .up = up, .node = node };

	snprintf(p.name, sizeof(p.name), "%s", name ? name : "");
	p.len = (uint16_t)strlen(p.name);
	p.flags = name ? 0 : CTPROF_PATH_ROOT;
	return bpf_paths_add(paths, &p);
}

static void whole_trees_have_plain_paths(void **state)
{
	_cleanup_builder_ struct builder b = { 0 };
	_cleanup_(bpf_paths_destroyp) struct bpf_paths *paths = bpf_paths_create(&b);

	(void)state;
	bpf_paths_begin(paths, 1);
	assert_int_equal(part(paths, 1, 0, 1, NULL), 0);
	assert_int_equal(part(paths, 30, 0, 30, "b c"), 0);
	assert_null(bpf_paths_find(paths, 30));
	assert_int_equal(part(paths, 30, 1, 20, "a"), 0);
	assert_int_equal(part(paths, 30, 2, 1, NULL), 0);
	assert_string_equal(bpf_paths_find(paths, 1), "/");
	assert_string_equal(bpf_paths_find(paths, 30), "/a/b c");
	assert_null(bpf_paths_find(paths, 31));
	assert_null(bpf_paths_find(paths, 0));
}

static void namespaces_see_from_their_root(void **state)
{
	_cleanup_builder_ struct builder b = { 0 };
	_cleanup_(bpf_paths_destroyp) struct bpf_paths *paths = bpf_paths_create(&b);

	(void)state;
	bpf_paths_begin(paths, 22);
	assert_int_equal(part(paths, 22, 0, 22, "mine"), 0);
	assert_int_equal(part(paths, 22, 1, 20, "a"), 0);
	assert_int_equal(part(paths, 22, 2, 1, NULL), 0);
	assert_int_equal(part(paths, 33, 0, 33, "x"), 0);
	assert_int_equal(part(paths, 33, 1, 22, "mine"), 0);
	assert_int_equal(part(paths, 33, 2, 20, "a"), 0);
	assert_int_equal(part(paths, 33, 3, 1, NULL), 0);
	/* A brother of the same name as it had before: another one. */
	assert_int_equal(part(paths, 44, 0, 44, "mine"), 0);
	assert_int_equal(part(paths, 44, 1, 20, "a"), 0);
	assert_int_equal(part(paths, 44, 2, 1, NULL), 0);
	assert_int_equal(part(paths, 1, 0, 1, NULL), 0);
	assert_string_equal(bpf_paths_find(paths, 22), "/");
	assert_string_equal(bpf_paths_find(paths, 33), "/x");
	assert_string_equal(bpf_paths_find(paths, 44), "/../mine");
	assert_string_equal(bpf_paths_find(paths, 1), "/../..");
}

static void removed_cgroups_say_so(void **state)
{
	_cleanup_builder_ struct builder b = { 0 };
	_cleanup_(bpf_paths_destroyp) struct bpf_paths *paths = bpf_paths_create(&b);
	struct ctprof_path p = {
		.cgroup = 30, .node = 30, .flags = CTPROF_PATH_DEAD, .len = 1, .name = "a"
	};

	(void)state;
	bpf_paths_begin(paths, 1);
	assert_int_equal(part(paths, 1, 0, 1, NULL), 0);
	assert_int_equal(bpf_paths_add(paths, &p), 0);
	assert_int_equal(part(paths, 30, 1, 1, NULL), 0);
	assert_string_equal(bpf_paths_find(paths, 30), "/a (deleted)");
}

static void too_deep_is_no_path(void **state)
{
	_cleanup_builder_ struct builder b = { 0 };
	_cleanup_(bpf_paths_destroyp) struct bpf_paths *paths = bpf_paths_create(&b);

	(void)state;
	bpf_paths_begin(paths, 1);
	assert_int_equal(part(paths, 1, 0, 1, NULL), 0);
	for (uint32_t up = 0; up < CTPROF_PATH_PARTS; up++)
		assert_int_equal(part(paths, 900, up, 900 - up, "d"), 0);
	assert_int_equal(part(paths, 900, CTPROF_PATH_PARTS, 1, "d"), -EBADMSG);
	assert_null(bpf_paths_find(paths, 900));
}

/* Without the reader's root nobody can say where anything is. */
static void unknown_roots_give_no_paths(void **state)
{
	_cleanup_builder_ struct builder b = { 0 };
	_cleanup_(bpf_paths_destroyp) struct bpf_paths *paths = bpf_paths_create(&b);

	(void)state;
	bpf_paths_begin(paths, 5);
	assert_int_equal(part(paths, 30, 0, 30, "a"), 0);
	assert_int_equal(part(paths, 30, 1, 1, NULL), 0);
	assert_null(bpf_paths_find(paths, 30));
}

static void parts_out_of_order_are_refused(void **state)
{
	_cleanup_builder_ struct builder b = { 0 };
	_cleanup_(bpf_paths_destroyp) struct bpf_paths *paths = bpf_paths_create(&b);

	(void)state;
	assert_int_equal(part(paths, 30, 1, 30, "a"), -EBADMSG);
	assert_int_equal(part(paths, 30, 0, 30, "a"), 0);
	assert_int_equal(part(paths, 30, 2, 20, "a"), -EBADMSG);
	assert_int_equal(part(paths, 31, 1, 20, "a"), -EBADMSG);
	assert_int_equal(part(paths, 0, 0, 20, "a"), -EBADMSG);
}

static void many_paths_are_kept(void **state)
{
	_cleanup_builder_ struct builder b = { 0 };
	_cleanup_(bpf_paths_destroyp) struct bpf_paths *paths = bpf_paths_create(&b);
	char name[16];

	(void)state;
	bpf_paths_begin(paths, 1);
	assert_int_equal(part(paths, 1, 0, 1, NULL), 0);
	for (uint64_t i = 2; i < 5000; i++) {
		snprintf(name, sizeof(name), "c%d", (int)i);
		assert_int_equal(part(paths, i << 32, 0, i, name), 0);
		assert_int_equal(part(paths, i << 32, 1, 1, NULL), 0);
	}
	assert_string_equal(bpf_paths_find(paths, 4999ull << 32), "/c4999");
	assert_string_equal(bpf_paths_find(paths, 2ull << 32), "/c2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_trees_have_plain_paths),
		cmocka_unit_test(namespaces_see_from_their_root),
		cmocka_unit_test(removed_cgroups_say_so),
		cmocka_unit_test(too_deep_is_no_path),
		cmocka_unit_test(unknown_roots_give_no_paths),
		cmocka_unit_test(parts_out_of_order_are_refused),
		cmocka_unit_test(many_paths_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
