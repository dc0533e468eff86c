// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/elfmake.h"
#include "../lib/scratch.h"
#include "base/child.h"
#include "base/clock.h"
#include "base/path.h"
#include "vm/closure.h"

static struct scratch scratch;
static struct strbuf found = STRBUF_INIT;

static int set_up(void **state)
{
	(void)state;
	scratch_create(&scratch);
	strbuf_clear(&found);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	strbuf_deinit(&found);
	scratch_destroy(&scratch);
	return 0;
}

/* Notes "NAME=PATH-BELOW-SCRATCH;" for each library. */
static int note(void *arg, const char *name, const char *host_path, struct ktstr_error *err)
{
	size_t len = strlen(scratch.dir);

	(void)arg;
	(void)err;
	if (!strncmp(host_path, scratch.dir, len))
		host_path += len;
	strbuf_addf(&found, "%s=%s;", name, host_path);
	return 0;
}

static const char *put(const char *name, const struct elfmake *what)
{
	struct elfmake_file file;

	elfmake(what, &file);
	return scratch_write(&scratch, name, &file, sizeof(file), 0755);
}

static int walk(const char *program, struct ktstr_error *err)
{
	struct library_dirs dirs = { 0 };
	struct closure_opts opts = { program, &dirs, note, NULL };
	int r;

	assert_int_equal(library_dirs_read(&dirs, scratch_path(&scratch, "ld.so.conf"), NULL), 0);
	r = closure_walk(&opts, err);
	library_dirs_deinit(&dirs);
	return r;
}

static void runpath_is_relative_to_its_object(void **state)
{
	const struct elfmake program = { .runpath = "/none:$ORIGIN/../lib",
					 .needed = { "libktstr-a.so" } };
	const struct elfmake a = { .runpath = "${ORIGIN}/deep", .needed = { "libktstr-b.so" } };

	(void)state;
	put("lib/libktstr-a.so", &a);
	put("lib/deep/libktstr-b.so", &(struct elfmake){ 0 });
	assert_int_equal(walk(put("bin/program", &program), NULL), 0);
	assert_string_equal(strbuf_str(&found), "libktstr-a.so=/bin/../lib/libktstr-a.so;"
						"libktstr-b.so=/bin/../lib/deep/libktstr-b.so;");
}

static void runpath_is_not_inherited_but_rpath_is(void **state)
{
	struct elfmake program = { .needed = { "libktstr-a.so" } };
	const struct elfmake a = { .needed = { "libktstr-b.so" } };
	struct ktstr_error err = { 0 };

	(void)state;
	put("lib/libktstr-a.so", &a);
	put("lib/libktstr-b.so", &(struct elfmake){ 0 });
	program.runpath = "$ORIGIN/lib";
	assert_int_equal(walk(put("program", &program), &err), -ENOENT);
	assert_non_null(strstr(err.text, "library 'libktstr-b.so', needed by '"));
	assert_non_null(strstr(err.text, "/lib/libktstr-a.so', was not found"));
	strbuf_clear(&found);
	program.runpath = NULL;
	program.rpath = "$ORIGIN/lib";
	assert_int_equal(walk(put("program", &program), NULL), 0);
	assert_non_null(strstr(strbuf_str(&found), "libktstr-b.so=/lib/libktstr-b.so;"));
}

static void rpath_does_not_reach_objects_with_runpath(void **state)
{
	const struct elfmake program = { .rpath = "$ORIGIN/lib", .needed = { "libktstr-a.so" } };
	const struct elfmake a = { .runpath = "/none", .needed = { "libktstr-b.so" } };
	struct ktstr_error err = { 0 };

	(void)state;
	put("lib/libktstr-a.so", &a);
	put("lib/libktstr-b.so", &(struct elfmake){ 0 });
	assert_int_equal(walk(put("program", &program), &err), -ENOENT);
	assert_non_null(strstr(err.text, "library 'libktstr-b.so'"));
}

static void files_of_another_machine_are_passed_over(void **state)
{
	const struct elfmake program = { .runpath = "$ORIGIN/a:$ORIGIN/b:$ORIGIN/c",
					 .needed = { "libktstr-a.so" } };

	(void)state;
	put("a/libktstr-a.so", &(struct elfmake){ .machine = EM_AARCH64 });
	scratch_text(&scratch, "b/libktstr-a.so", "GROUP ( libktstr-a.so )");
	put("c/libktstr-a.so", &(struct elfmake){ 0 });
	assert_int_equal(walk(put("program", &program), NULL), 0);
	assert_string_equal(strbuf_str(&found), "libktstr-a.so=/c/libktstr-a.so;");
}

static void circles_end(void **state)
{
	const struct elfmake program = { .rpath = "$ORIGIN", .needed = { "libktstr-a.so" } };
	const struct elfmake a = { .needed = { "libktstr-b.so", "libktstr-a.so" } };
	const struct elfmake b = { .needed = { "libktstr-a.so" } };

	(void)state;
	put("libktstr-a.so", &a);
	put("libktstr-b.so", &b);
	assert_int_equal(walk(put("program", &program), NULL), 0);
	assert_string_equal(strbuf_str(&found),
			    "libktstr-a.so=/libktstr-a.so;libktstr-b.so=/libktstr-b.so;");
}

static void configured_folders_are_searched(void **state)
{
	const struct elfmake program = { .needed = { "libktstr-a.so" } };
	char conf[1024];

	(void)state;
	put("third/libktstr-a.so", &(struct elfmake){ 0 });
	snprintf(conf, sizeof(conf), "# comment\n%s/first # more\n\n include\tconf.d/*.conf \n",
		 scratch.dir);
	scratch_text(&scratch, "ld.so.conf", conf);
	snprintf(conf, sizeof(conf), "relative\n  %s/third\t\n", scratch.dir);
	scratch_text(&scratch, "conf.d/b.conf", conf);
	/* Includes itself, which must end. */
	scratch_text(&scratch, "conf.d/a.conf", "include *.conf\nhwcap 0 nosegneg\n");
	assert_int_equal(walk(put("program", &program), NULL), 0);
	assert_string_equal(strbuf_str(&found), "libktstr-a.so=/third/libktstr-a.so;");
}

static void missing_loader_is_named(void **state)
{
	const struct elfmake program = { .interpreter = "/nowhere/ld.so" };
	struct ktstr_error err = { 0 };

	(void)state;
	assert_int_equal(walk(put("program", &program), &err), -ENOENT);
	assert_non_null(strstr(err.text, "'/nowhere/ld.so', the program loader of"));
	assert_int_equal(walk("/nowhere/program", &err), -ENOENT);
	assert_int_equal(walk(scratch_text(&scratch, "script", "#!/bin/sh\n"), &err), 0);
	assert_string_equal(strbuf_str(&found), "");
}

/* The program loader's own list is the reference. */
static void ls_has_what_its_loader_lists(void **state)
{
	char *program = path_find_program("ls", NULL);
	const char *const env[] = { "LD_TRACE_LOADED_OBJECTS=1", NULL };
	struct library_dirs dirs = { 0 };
	struct closure_opts opts = { program, &dirs, note, NULL };
	const char *const argv[] = { "/usr/bin/env", env[0], program, NULL };
	struct strbuf listed = STRBUF_INIT;
	int nr = 0;

	(void)state;
	assert_non_null(program);
	assert_int_equal(library_dirs_read(&dirs, "/etc/ld.so.conf", NULL), 0);
	assert_int_equal(closure_walk(&opts, NULL), 0);
	assert_int_equal(child_run(argv, 30 * NSEC_PER_SEC, &listed, NULL, NULL), 0);
	for (const char *line = strbuf_str(&listed); *line; line += strspn(line, "\n")) {
		char name[256] = "";

		if (sscanf(line, " %200[^ \n] => /", name) == 1 && strstr(line, "=> /")) {
			strncat(name, "=", sizeof(name) - strlen(name) - 1);
			if (!strchr(name, '/') && strncmp(name, "linux-vdso", 10)) {
				assert_non_null(strstr(strbuf_str(&found), name));
				nr++;
			}
		}
		line += strcspn(line, "\n");
	}
	assert_true(nr > 0);
	assert_non_null(strstr(strbuf_str(&found), "libgcc_s.so.1="));
	strbuf_deinit(&listed);
	library_dirs_deinit(&dirs);
	free(program);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(runpath_is_relative_to_its_object, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(runpath_is_not_inherited_but_rpath_is, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(rpath_does_not_reach_objects_with_runpath, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(files_of_another_machine_are_passed_over, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(circles_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(configured_folders_are_searched, set_up, tear_down),
		cmocka_unit_test_setup_teardown(missing_loader_is_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ls_has_what_its_loader_lists, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
