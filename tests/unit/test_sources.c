// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "kernel/sources.h"

#include "../lib/scratch.h"

static void lines_are_read(void **state)
{
	_cleanup_sources_ struct source_list list = { 0 };

	(void)state;
	assert_int_equal(
		sources_parse_lines("# comment\n"
				    "deb-src http://a.invalid/debian bookworm main\n"
				    "  deb\thttp://a.invalid/debian  bookworm main contrib # why\n"
				    "deb [ arch=amd64 signed-by=/k/a.gpg,/k/b.gpg ] "
				    "https://b.invalid/x stable extra\n"
				    "deb [trusted=yes] file:/srv/r sid main\n"
				    "deb cdrom:[Debian 12]/ bookworm main\n"
				    "deb [unfinished http://c.invalid bookworm main\n"
				    "deb http://nosuite.invalid\n"
				    "debian nonsense\n",
				    &list),
		0);
	assert_int_equal(list.nr, 3);
	assert_string_equal(list.items[0].uri, "http://a.invalid/debian");
	assert_int_equal(list.items[0].nr_suites, 1);
	assert_string_equal(list.items[0].suites[0], "bookworm");
	assert_true(list.items[0].has_main);
	assert_null(list.items[0].signed_by);
	assert_string_equal(list.items[1].signed_by, "/k/a.gpg /k/b.gpg");
	assert_false(list.items[1].has_main);
	assert_false(list.items[1].trusted);
	assert_true(list.items[2].trusted);
}

static void paragraphs_are_read(void **state)
{
	static const char text[] = "Types: deb deb-src\n"
				   "# where from\n"
				   "URIs: http://a.invalid/debian\n"
				   " http://b.invalid/debian\n"
				   "Suites: bookworm bookworm-updates\n"
				   "Components: main\n"
				   "X-Other: http://c.invalid\n"
				   " and: more\n"
				   "Signed-By:\n"
				   " -----BEGIN PGP PUBLIC KEY BLOCK-----\n"
				   " .\n"
				   " mQINB\n"
				   "\n"
				   "types: deb\n"
				   "uris: http://off.invalid\n"
				   "suites: sid\n"
				   "components: main\n"
				   "enabled: no\n"
				   "\n"
				   "Types: deb-src\n"
				   "URIs: http://src.invalid\n"
				   "Suites: sid\n"
				   " \n"
				   "Types: deb\n"
				   "URIs: http://last.invalid\n"
				   "Suites: trixie/\n"
				   "Trusted: yes";
	_cleanup_sources_ struct source_list list = { 0 };

	(void)state;
	assert_int_equal(sources_parse_deb822(text, &list), 0);
	assert_int_equal(list.nr, 3);
	assert_string_equal(list.items[0].uri, "http://a.invalid/debian");
	assert_string_equal(list.items[1].uri, "http://b.invalid/debian");
	assert_int_equal(list.items[1].nr_suites, 2);
	assert_string_equal(list.items[1].suites[1], "bookworm-updates");
	assert_true(list.items[1].has_main);
	assert_non_null(strstr(list.items[0].signed_by, "\n .\n mQINB"));
	assert_string_equal(list.items[2].uri, "http://last.invalid");
	assert_true(list.items[2].trusted);
	assert_false(list.items[2].has_main);
}

static void the_debian_mirror_is_picked(void **state)
{
	_cleanup_sources_ struct source_list list = { 0 };
	const struct source *mirror;

	(void)state;
	assert_null(sources_debian_mirror(&list));
	assert_int_equal(sources_parse_lines(
				 "deb http://tools.invalid/apt bookworm main\n"
				 "deb http://vendor.invalid/apt nodistro main\n"
				 "deb http://sec.invalid/debian-security bookworm-security main\n",
				 &list),
			 0);
	mirror = sources_debian_mirror(&list);
	assert_string_equal(mirror->uri, "http://tools.invalid/apt");
	assert_int_equal(sources_parse_lines("deb http://m.invalid/debian bookworm main\n"
					     "deb http://m.invalid/debian bookworm-updates main\n",
					     &list),
			 0);
	mirror = sources_debian_mirror(&list);
	assert_string_equal(mirror->uri, "http://m.invalid/debian");
	assert_int_equal(sources_parse_lines(
				 "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] "
				 "http://signed.invalid/debian sid main\n",
				 &list),
			 0);
	mirror = sources_debian_mirror(&list);
	assert_string_equal(mirror->uri, "http://signed.invalid/debian");
}

static void another_distribution_has_no_mirror(void **state)
{
	_cleanup_sources_ struct source_list list = { 0 };

	(void)state;
	assert_int_equal(sources_parse_lines("deb http://a.invalid/ubuntu noble main universe\n"
					     "deb http://b.invalid/debian bookworm contrib\n",
					     &list),
			 0);
	assert_int_equal(list.nr, 2);
	assert_null(sources_debian_mirror(&list));
}

static void there_is_a_limit(void **state)
{
	_cleanup_sources_ struct source_list list = { 0 };
	int r = 0;

	(void)state;
	for (int i = 0; i < SOURCES_MAX; i++)
		assert_int_equal(sources_parse_lines("deb http://a.invalid sid main", &list), 0);
	r = sources_parse_lines("deb http://a.invalid sid main", &list);
	assert_int_equal(r, -E2BIG);
	assert_int_equal(list.nr, SOURCES_MAX);
}

static void the_host_is_asked_through_apt(void **state)
{
	_cleanup_sources_ struct source_list list = { 0 };
	struct scratch scratch;
	struct ktstr_error err;
	char conf[1024];

	(void)state;
	scratch_create(&scratch);
	scratch_text(&scratch, "etc/sources.list", "deb http://one.invalid/debian sid main\n");
	scratch_text(&scratch, "etc/sources.list.d/a.sources",
		     "Types: deb\nURIs: http://two.invalid\nSuites: sid\nComponents: main\n");
	scratch_text(&scratch, "etc/sources.list.d/b.list", "deb http://three.invalid sid main\n");
	scratch_text(&scratch, "etc/sources.list.d/c.save", "deb http://four.invalid sid main\n");
	snprintf(conf, sizeof(conf), "Dir::Etc \"%s/etc\";\n", scratch.dir);
	setenv("APT_CONFIG", scratch_text(&scratch, "apt.conf", conf), 1);
	if (sources_read_host(&list, &err) == -ENOTSUP) {
		assert_null(path_find_program("apt-config", NULL));
		print_message("needs apt-config\n");
		scratch_destroy(&scratch);
		skip();
	}
	assert_int_equal(list.nr, 3);
	assert_string_equal(list.items[0].uri, "http://one.invalid/debian");
	assert_string_equal(list.items[1].uri, "http://two.invalid");
	assert_string_equal(list.items[2].uri, "http://three.invalid");
	scratch_destroy(&scratch);
}

static void without_apt_it_says_so(void **state)
{
	_cleanup_sources_ struct source_list list = { 0 };
	struct ktstr_error err;

	(void)state;
	setenv("PATH", "/nonexistent", 1);
	assert_int_equal(sources_read_host(&list, &err), -ENOTSUP);
	assert_non_null(strstr(err.text, "give one with --kernel FILE"));
	unsetenv("PATH"); /* the usual folders */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_read),
		cmocka_unit_test(paragraphs_are_read),
		cmocka_unit_test(the_debian_mirror_is_picked),
		cmocka_unit_test(another_distribution_has_no_mirror),
		cmocka_unit_test(there_is_a_limit),
		cmocka_unit_test(the_host_is_asked_through_apt),
		cmocka_unit_test(without_apt_it_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
