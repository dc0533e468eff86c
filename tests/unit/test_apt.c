// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "kernel/apt.h"

#include "../lib/scratch.h"

static void shown_packages_become_lines(void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;

	(void)state;
	apt_format_packages("Package: linux-base-7.3.4\n"
			    "Source: linux\n"
			    "Version: 7.3.4-1~bpo13+1\n"
			    "Size: 1045012\n"
			    "Description: x\n"
			    " Size: 7\n"
			    "\n"
			    "Package: no-version\n"
			    "\n"
			    "\n"
			    "Package: no-size\n"
			    "Version: 2\n"
			    "Size: many\n",
			    &out);
	assert_string_equal(strbuf_str(&out), "linux-base-7.3.4 7.3.4-1~bpo13+1 1045012\n"
					      "no-size 2 0\n");
	strbuf_clear(&out);
	apt_format_packages("", &out);
	assert_string_equal(strbuf_str(&out), "");
}

static void lines_become_packages(void **state)
{
	_cleanup_apt_ struct apt apt = { 0 };

	(void)state;
	assert_int_equal(apt_parse_packages("a 1 10\n"
					    "\n"
					    "b 2\n"
					    "c 3 x\n"
					    "d 4 99999999999999999999999\n"
					    "e 5 50 more\n"
					    "f 6 60\n"
					    "g 7 70",
					    3, &apt),
			 0);
	assert_int_equal(apt.nr_packages, 2);
	assert_string_equal(apt.packages[0].name, "a");
	assert_string_equal(apt.packages[1].version, "6");
	assert_int_equal(apt.packages[1].bytes, 60);
	assert_int_equal(apt.packages[1].suite, 3);
}

static void there_is_a_limit(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	_cleanup_apt_ struct apt apt = { 0 };

	(void)state;
	for (int i = 0; i <= APT_MAX_PACKAGES; i++)
		strbuf_addstr(&text, "a 1 10\n");
	assert_int_equal(apt_parse_packages(text.data, 0, &apt), -E2BIG);
	assert_int_equal(apt.nr_packages, APT_MAX_PACKAGES);
}

static int init_with(const struct scratch *s, const char *sources, struct apt *apt,
		     struct ktstr_error *err)
{
	static const struct progress silent;
	char conf[600];

	scratch_text(s, "etc/sources.list", sources);
	snprintf(conf, sizeof(conf), "Dir::Etc \"%s/etc\";\n", s->dir);
	setenv("APT_CONFIG", scratch_text(s, "apt.conf", conf), 1);
	setenv("XDG_CACHE_HOME", scratch_path(s, "cache"), 1);
	return apt_init(apt, &silent, err);
}

static void need_apt(struct scratch *s, int r, const struct ktstr_error *err)
{
	if (r != -ENOTSUP || !strstr(err->text, "fetched with apt"))
		return;
	assert_null(path_find_program("apt-config", NULL));
	print_message("needs apt-config\n");
	scratch_destroy(s);
	skip();
}

static bool has_suite(const struct apt *apt, const char *name)
{
	for (unsigned int i = 0; i < apt->nr_suites; i++)
		if (!strcmp(apt->suites[i].name, name))
			return true;
	return false;
}

static void suites_come_from_table_and_host(void **state)
{
	_cleanup_apt_ struct apt apt = { 0 };
	struct scratch scratch;
	struct ktstr_error err;
	int r;

	(void)state;
	scratch_create(&scratch);
	r = init_with(&scratch, "deb http://m.invalid/debian forky main\n", &apt, &err);
	need_apt(&scratch, r, &err);
	assert_int_equal(r, 0);
	assert_string_equal(apt.mirror->uri, "http://m.invalid/debian");
	assert_true(has_suite(&apt, "forky"));
	assert_true(has_suite(&apt, "sid"));
	assert_true(has_suite(&apt, "bookworm-backports"));
	apt_deinit(&apt);
	assert_int_equal(
		init_with(&scratch, "deb http://m.invalid/ubuntu noble main\n", &apt, &err),
		-ENOTSUP);
	assert_non_null(strstr(err.text, "none of this machine's apt sources is a Debian archive"));
	scratch_destroy(&scratch);
}

/* Notes what it finds, and leaves a file where it is told to. */
static const char fake_apt_get[] = "#!/bin/sh\n"
				   "dir=${2%/apt.conf}\n"
				   "[ \"$1 $3\" = '-c update' ] || exit 9\n"
				   "[ \"$TMPDIR\" = \"$dir/tmp\" ] || exit 8\n"
				   "cd \"$dir\" && ls -A . lists archives tmp >seen || exit 7\n"
				   "stat -c %a kernels.sources >>seen\n"
				   "echo x >\"$TMPDIR/left\"\n";

static void check_file(const struct scratch *s, const char *name, const char *text)
{
	_cleanup_strbuf_ struct strbuf seen = STRBUF_INIT;

	if (io_read_file(scratch_path(s, name), &seen, NULL) < 0)
		fail_msg("no %s", name);
	assert_string_equal(strbuf_str(&seen), text);
}

static void check_setting(const struct scratch *s, const char *setting, const char *name)
{
	_cleanup_strbuf_ struct strbuf conf = STRBUF_INIT;
	_cleanup_free_ char *line =
		path_format("%s \"%s/cache/ktstr/apt/sid%s\";\n", setting, s->dir, name);

	assert_int_equal(io_read_file(scratch_path(s, "cache/ktstr/apt/sid/apt.conf"), &conf, NULL),
			 0);
	if (!strstr(strbuf_str(&conf), line))
		fail_msg("no %s in %s", line, strbuf_str(&conf));
}

/* What apt is given to work with; it is one that does nothing. */
static void a_suite_has_a_place_of_its_own(void **state)
{
	static const struct apt_update_opts all = { .force = true };
	_cleanup_apt_ struct apt apt = { 0 };
	_cleanup_free_ char *path = NULL;
	struct scratch scratch;
	struct ktstr_error err;
	int r;

	(void)state;
	scratch_create(&scratch);
	r = init_with(&scratch, "deb [signed-by=/keys/k.gpg] http://m.invalid/debian sid main\n",
		      &apt, &err);
	need_apt(&scratch, r, &err);
	assert_int_equal(r, 0);
	scratch_write(&scratch, "bin/apt-get", fake_apt_get, strlen(fake_apt_get), 0755);
	scratch_write(&scratch, "bin/apt-cache", "#!/bin/sh\n", 10, 0755);
	scratch_text(&scratch, "cache/ktstr/apt/sid/tmp/of/a/killed-one", "");
	path = path_format("%s/bin:/usr/bin:/bin", scratch.dir);
	setenv("PATH", path, 1);
	apt.nr_suites = 1; /* sid, the first of the table */
	if (apt_update(&apt, &all, &err) < 0)
		fail_msg("%s", err.text);
	check_file(&scratch, "cache/ktstr/apt/sid/seen",
		   ".:\napt.conf\narchives\nkernels.sources\nlists\nseen\ntmp\n\n"
		   "archives:\npartial\n\nlists:\npartial\n\ntmp:\n600\n");
	check_file(&scratch, "cache/ktstr/apt/sid/kernels.sources",
		   "Types: deb\nURIs: http://m.invalid/debian\nSuites: sid\nComponents: main\n"
		   "Targets: Packages\nSigned-By: /keys/k.gpg\n");
	check_setting(&scratch, "Dir::Etc::sourcelist", "/kernels.sources");
	check_setting(&scratch, "Dir::State::lists", "/lists");
	check_setting(&scratch, "Dir::Cache", "");
	/* The next update clears away what this one left. */
	check_file(&scratch, "cache/ktstr/apt/sid/tmp/left", "x\n");
	assert_int_equal(apt_update(&apt, &all, &err), 0);
	check_file(&scratch, "cache/ktstr/apt/sid/seen",
		   ".:\napt.conf\narchives\nkernels.sources\nlists\npackages\nseen\ntmp\n\n"
		   "archives:\npartial\n\nlists:\npartial\n\ntmp:\n600\n");
	scratch_destroy(&scratch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shown_packages_become_lines),
		cmocka_unit_test(lines_become_packages),
		cmocka_unit_test(there_is_a_limit),
		cmocka_unit_test(suites_come_from_table_and_host),
		cmocka_unit_test(a_suite_has_a_place_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
