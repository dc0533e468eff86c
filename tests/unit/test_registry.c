// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "run/registry.h"

static struct ktstr_error err;

static void body(struct ktstr *t)
{
	(void)t;
}

static const struct ktstr_test test = { .run = body };

#define ENTRY(name_)                                                                          \
	{                                                                                     \
		.abi = KTSTR_TEST_ABI, .test_size = sizeof(struct ktstr_test), .name = name_, \
		.file = "t.c", .line = __LINE__, .test = &test                                \
	}

static const struct ktstr_entry leaf = ENTRY("leaf"), apple = ENTRY("apple"),
				melon = ENTRY("melon"), apple_twin = ENTRY("apple");

static void entries_are_sorted(void **state)
{
	const struct ktstr_entry *slots[] = { &melon, NULL, &apple, &leaf };
	_cleanup_registry_ struct registry registry = REGISTRY_INIT;

	(void)state;
	assert_int_equal(registry_load(slots, slots + 4, &registry, &err), 0);
	assert_int_equal(registry.nr, 3);
	assert_ptr_equal(registry.entries[0], &apple);
	assert_ptr_equal(registry.entries[1], &leaf);
	assert_ptr_equal(registry.entries[2], &melon);
	assert_ptr_equal(registry_find(&registry, "leaf"), &leaf);
	assert_null(registry_find(&registry, "lea"));
}

static void no_tests_are_no_error(void **state)
{
	_cleanup_registry_ struct registry registry = REGISTRY_INIT;

	(void)state;
	assert_int_equal(registry_load(NULL, NULL, &registry, &err), 0);
	assert_int_equal(registry.nr, 0);
	assert_int_equal(registry_select(&registry, NULL, 0, &err), 0);
}

static void one_name_twice_is_refused(void **state)
{
	const struct ktstr_entry *slots[] = { &apple, &leaf, &apple_twin };
	struct registry registry = REGISTRY_INIT;

	(void)state;
	assert_int_equal(registry_load(slots, slots + 3, &registry, &err), -EEXIST);
	assert_non_null(strstr(err.text, "'apple': t.c:"));
	assert_non_null(strstr(err.text, " and t.c:"));
	assert_null(registry.entries);
}

static void patterns_select(void **state)
{
	const struct ktstr_entry *slots[] = { &melon, &apple, &leaf };
	_cleanup_registry_ struct registry registry = REGISTRY_INIT;

	(void)state;
	assert_int_equal(registry_load(slots, slots + 3, &registry, &err), 0);
	assert_int_equal(registry_select(&registry, NULL, 0, &err), 3);
	assert_int_equal(
		registry_select(&registry, (const char *const[]){ "*e*", "leaf" }, 2, &err), 3);
	assert_int_equal(registry_select(&registry, (const char *const[]){ "m?lon" }, 1, &err), 1);
	assert_false(registry.selected[0]);
	assert_true(registry.selected[2]);
	/* Twice is once. */
	assert_int_equal(
		registry_select(&registry, (const char *const[]){ "leaf", "leaf" }, 2, &err), 1);
}

static void strange_patterns_name_near_tests(void **state)
{
	const struct ktstr_entry *slots[] = { &melon, &apple, &leaf };
	_cleanup_registry_ struct registry registry = REGISTRY_INIT;

	(void)state;
	assert_int_equal(registry_load(slots, slots + 3, &registry, &err), 0);
	assert_int_equal(registry_select(&registry, (const char *const[]){ "meln" }, 1, &err),
			 -ENOENT);
	assert_string_equal(err.text, "no test matches 'meln'; near: 'melon'");
	assert_int_equal(registry_select(&registry, (const char *const[]){ "leaf", "zzzzzzzzzzzz" },
					 2, &err),
			 -ENOENT);
	assert_string_equal(err.text, "no test matches 'zzzzzzzzzzzz'; -l lists all 3");
	/* Longer than any name. */
	assert_int_equal(
		registry_select(&registry,
				(const char *const[]){ "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"
						       "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"
						       "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz" },
				1, &err),
		-ENOENT);
}

static int check_test(const struct ktstr_test *t, const char *name)
{
	const struct ktstr_entry entry = {
		.abi = KTSTR_TEST_ABI,
		.test_size = sizeof(struct ktstr_test),
		.name = name,
		.file = "t.c",
		.test = t,
	};

	return registry_check(&entry, &err);
}

static void declarations_are_checked(void **state)
{
	static const struct ktstr_payload nameless = { .binary = "x" };

	(void)state;
	assert_int_equal(registry_check(&leaf, &err), 0);
	assert_int_equal(check_test(&(struct ktstr_test){ 0 }, "a"), -EINVAL);
	assert_non_null(strstr(err.text, ".run"));
	assert_int_equal(check_test(&(struct ktstr_test){ .run = body,
							  .topology = { .nodes = 2, .llcs = 3 } },
				    "a"),
			 -EINVAL);
	assert_memory_equal(err.text, "topology: ", 10);
	assert_int_equal(
		check_test(&(struct ktstr_test){ .run = body, .kernel_args = "rdinit=/x" }, "a"),
		-EINVAL);
	assert_non_null(strstr(err.text, "'rdinit=/x'"));
	assert_int_equal(
		check_test(&(struct ktstr_test){ .run = body, .payloads = { &nameless } }, "a"),
		-EINVAL);
	assert_string_equal(err.text, "payload 0 has no name");
	assert_int_equal(check_test(&test, "a/b"), -EINVAL);
	assert_int_equal(check_test(&test, ".."), -EINVAL);
	assert_int_equal(check_test(&test, ""), -EINVAL);
}

static void other_headers_are_refused(void **state)
{
	struct ktstr_entry entry = leaf;

	(void)state;
	entry.test = NULL; /* must not be looked at */
	entry.test_size -= 8;
	assert_int_equal(registry_check(&entry, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "built against other headers"));
	entry = leaf;
	entry.abi++;
	assert_int_equal(registry_check(&entry, &err), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_are_sorted),
		cmocka_unit_test(no_tests_are_no_error),
		cmocka_unit_test(one_name_twice_is_refused),
		cmocka_unit_test(patterns_select),
		cmocka_unit_test(strange_patterns_name_near_tests),
		cmocka_unit_test(declarations_are_checked),
		cmocka_unit_test(other_headers_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
