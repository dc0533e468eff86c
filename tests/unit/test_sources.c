// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "kernel/sources.h"

#include "../lib/scratch.h"

static void lines_are_read(void **state)
{
	_cleanup_sources_ struct source_list list = { 0 };

	(void)state;
	assert_int_equal(
		sources_parse_lines("# comment\n"
				    "deb-src http://a.example/debian bookworm main\n"
				    "  deb\thttp://a.example/debian  bookworm main contrib # why\n"
				    "deb [ arch=amd64 signed-by=/k/a.gpg,/k/b.gpg ] "
				    "https://b.example/x stable extra\n"
				    "deb [trusted=yes] file:/srv/r sid main\n"
				    "deb cdrom:[Debian 12]/ bookworm main\n"
				    "deb [unfinished http://c.example bookworm main\n"
				    "deb http://nosuite.example\n"
				    "debian nonsense\n",
				    &list),
		0);
	assert_int_equal(list.nr, 3);
	assert_string_equal(list.items[0].uri, "http://a.example/debian");
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
				   "URIs: http://a.example/debian\n"
				   " http://b.example/debian\n"
				   "Suites: bookworm bookworm-updates\n"
				   "Components: main\n"
				   "X-Other: http://c.example\n"
				   " and: more\n"
				   "Signed-By:\n"
				   " -----BEGIN PGP PUBLIC KEY BLOCK-----\n"
				   " .\n"
				   " mQINB\n"
				   "\n"
				   "types: deb\n"
				   "uris: http://off.example\n"
				   "suites: sid\n"
				   "components: main\n"
				   "enabled: no\n"
				   "\n"
				   "Types: deb-src\n"
				   "URIs: http://src.example\n"
				   "Suites: sid\n"
				   " \n"
				   "Types: deb\n"
				   "URIs: http://last.example\n"
				   "Suites: trixie/\n"
				   "Trusted: yes";
	_cleanup_sources_ struct source_list list = { 0 };

	(void)state;
	assert_int_equal(sources_parse_deb822(text, &list), 0);
	assert_int_equal(list.nr, 3);
	assert_string_equal(list.items[0].uri, "http://a.example/debian");
	assert_string_equal(list.items[1].uri, "http://b.example/debian");
	assert_int_equal(list.items[1].nr_suites, 2);
	assert_string_equal(list.items[1].suites[1], "bookworm-updates");
	assert_true(list.items[1].has_main);
	assert_non_null(strstr(list.items[0].signed_by, "\n .\n mQINB"));
	assert_string_equal(list.items[2].uri, "http://last.example");
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
				 "deb http://tools.example/apt bookworm main\n"
				 "deb http://vendor.example/apt nodistro main\n"
				 "deb http://sec.example/debian-security bookworm-security main\n",
				 &list),
			 0);
	mirror = sources_debian_mirror(&list);
	assert_string_equal(mirror->uri, "http://tools.example/apt");
	assert_int_equal(sources_parse_lines("deb http://m.example/debian bookworm main\n"
					     "deb http://m.example/debian bookworm-updates main\n",
					     &list),
			 0);
	mirror = sources_debian_mirror(&list);
	assert_string_equal(mirror->uri, "http://m.example/debian");
	assert_int_equal(sources_parse_lines(
				 "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] "
				 "http://signed.example/debian sid main\n",
				 &list),
			 0);
	mirror = sources_debian_mirror(&list);
	assert_string_equal(mirror->uri, "http://signed.example/debian");
}

static void another_distribution_has_no_mirror(void **state)
{
	_cleanup_sources_ struct source_list list = { 0 };

	(void)state;
	assert_int_equal(sources_parse_lines("deb http://a.example/ubuntu noble main universe\n"
					     "deb http://b.example/debian bookworm contrib\n",
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
		assert_int_equal(sources_parse_lines("deb http://a.example sid main", &list), 0);
	r = sources_parse_lines("deb http://a.example sid main", &list);
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
	scratch_text(&scratch, "etc/sources.list", "deb http://one.example/debian sid main\n");
	scratch_text(&scratch, "etc/sources.list.d/a.sources",
		     "Types: deb\nURIs: http://two.example\nSuites: sid\nComponents: main\n");
	scratch_text(&scratch, "etc/sources.list.d/b.list", "deb http://three.example sid main\n");
	scratch_text(&scratch, "etc/sources.list.d/c.save", "deb http://four.example sid main\n");
	snprintf(conf, sizeof(conf), "Dir::Etc \"%s/etc\";\n", scratch.dir);
	setenv("APT_CONFIG", scratch_text(&scratch, "apt.conf", conf), 1);
	if (sources_read_host(&list, &err) == -ENOTSUP) {
		print_message("needs apt-config\n");
		scratch_destroy(&scratch);
		skip();
	}
	assert_int_equal(list.nr, 3);
	assert_string_equal(list.items[0].uri, "http://one.example/debian");
	assert_string_equal(list.items[1].uri, "http://two.example");
	assert_string_equal(list.items[2].uri, "http://three.example");
	scratch_destroy(&scratch);
}

static void without_apt_it_says_so(void **state)
{
	_cleanup_sources_ struct source_list list = { 0 };
	_cleanup_free_ char *old = strdup(getenv("PATH"));
	struct ktstr_error err;

	(void)state;
	setenv("PATH", "/nonexistent", 1);
	assert_int_equal(sources_read_host(&list, &err), -ENOTSUP);
	assert_non_null(strstr(err.text, "give one with --kernel FILE"));
	setenv("PATH", old, 1);
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
