// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vm/guestpath.h"

static void paths_are_resolved_through_the_links(void **state)
{
	static const struct {
		const char *path, *name;
	} cases[] = {
		{ "/bin/sh", "usr/bin/sh" },
		{ "/sbin/init", "usr/bin/init" },
		{ "/usr/sbin/x", "usr/bin/x" },
		{ "/lib64/ld-linux-x86-64.so.2", "usr/lib/ld-linux-x86-64.so.2" },
		{ "/lib/x86_64-linux-gnu/libc.so.6", "usr/lib/x86_64-linux-gnu/libc.so.6" },
		{ "/usr/lib64/a", "usr/lib/a" },
		{ "/usr/bin/a", "usr/bin/a" },
		{ "/library/a", "library/a" },
		{ "/job,1 /a b", "job,1 /a b" },
		{ "/...", "..." },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *name = guest_path_canonical(cases[i].path);

		assert_non_null(name);
		assert_string_equal(name, cases[i].name);
		free(name);
	}
}

static void other_forms_are_refused(void **state)
{
	static const char *const paths[] = { "",      "a",	 "/",	   "//a",	"/a/",
					     "/a//b", "/a/../b", "/..",	   "/a/.",	"/./a",
					     "/lib",  "/bin",	 "/lib64", "/usr/lib64" };
	char long_path[2048];

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_null(guest_path_canonical(paths[i]));
	memset(long_path, 'a', sizeof(long_path));
	long_path[0] = '/';
	long_path[sizeof(long_path) - 1] = '\0';
	assert_null(guest_path_canonical(long_path));
}

static void links_point_to_one_folder_each(void **state)
{
	(void)state;
	for (const struct guest_link *l = guest_links; l->name; l++) {
		assert_true(!strcmp(l->real, "usr/bin") || !strcmp(l->real, "usr/lib"));
		assert_true(!l[1].name || strcmp(l->name, l[1].name) < 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_are_resolved_through_the_links),
		cmocka_unit_test(other_forms_are_refused),
		cmocka_unit_test(links_point_to_one_folder_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
