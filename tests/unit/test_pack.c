// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/elfmake.h"
#include "../lib/scratch.h"
#include "base/cpio.h"
#include "base/io.h"
#include "base/xxh64.h"
#include "vm/vm.h"

enum { ARCHIVE_MAX = 64 << 20 };

static struct scratch scratch;
static struct pack *pack;
static struct strbuf archive;
static struct pack_sums sums;

static int set_up(void **state)
{
	(void)state;
	scratch_create(&scratch);
	archive = (struct strbuf)STRBUF_INIT_LIMIT(ARCHIVE_MAX);
	assert_int_equal(pack_create(scratch_path(&scratch, "files.cpio"), &pack, NULL), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	pack_destroy(pack);
	pack = NULL;
	strbuf_deinit(&archive);
	scratch_destroy(&scratch);
	return 0;
}

static void finish(void)
{
	struct ktstr_error err = { 0 };

	if (archive.len)
		return;
	if (pack_finish(pack, &sums, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(io_read_file(scratch_path(&scratch, "files.cpio"), &archive, NULL), 0);
	assert_int_equal(sums.bytes, archive.len);
}

/* "NAME " for a file, "NAME/ " for a folder, "NAME>TARGET " for a link. */
static int list_entry(void *arg, const struct cpio_entry *e)
{
	strbuf_addstr(arg, e->name);
	if (S_ISDIR(e->mode))
		strbuf_addch(arg, '/');
	if (S_ISLNK(e->mode))
		strbuf_addf(arg, ">%.*s", (int)e->size, (const char *)e->data);
	strbuf_addch(arg, ' ');
	return 0;
}

static const char *listed(void)
{
	static struct strbuf list = STRBUF_INIT;

	strbuf_clear(&list);
	finish();
	assert_int_equal(cpio_read(archive.data, archive.len, list_entry, &list, NULL), 0);
	return strbuf_str(&list);
}

static void entries_are_sorted(void **state)
{
	(void)state;
	assert_int_equal(pack_add(pack, scratch_text(&scratch, "x", "x"), "/z/x", NULL), 0);
	assert_int_equal(pack_add(pack, scratch_text(&scratch, "y", "y"), "/a/b/y", NULL), 0);
	assert_int_equal(pack_add(pack, scratch_text(&scratch, "y", "y"), "/a/b-c", NULL), 0);
	assert_int_equal(pack_link(pack, "y", "/a/b/link", NULL), 0);
	assert_string_equal(listed(), "a/ a/b-c a/b/ a/b/link>y a/b/y z/ z/x ");
}

static void sums_are_those_of_the_file(void **state)
{
	struct sha256 sha256;
	struct xxh64 xxh64;
	char hex[SHA256_HEX];

	(void)state;
	assert_int_equal(pack_add(pack, scratch_text(&scratch, "x", "x"), "/x", NULL), 0);
	finish();
	sha256_init(&sha256);
	sha256_update(&sha256, archive.data, archive.len);
	sha256_final_hex(&sha256, hex);
	assert_string_equal(sums.sha256, hex);
	xxh64_init(&xxh64);
	xxh64_update(&xxh64, archive.data, archive.len);
	assert_int_equal(sums.xxh64, xxh64_value(&xxh64));
}

static int check_mode(void *arg, const struct cpio_entry *e)
{
	(void)arg;
	if (!strcmp(e->name, "run"))
		assert_int_equal(e->mode, S_IFREG | 0755);
	else if (!strcmp(e->name, "data"))
		assert_int_equal(e->mode, S_IFREG | 0644);
	return 0;
}

static void modes_are_reduced_to_two(void **state)
{
	(void)state;
	scratch_write(&scratch, "a", "", 0, 0700);
	scratch_write(&scratch, "b", "", 0, 0600);
	assert_int_equal(pack_add(pack, scratch_path(&scratch, "a"), "/run", NULL), 0);
	assert_int_equal(pack_add(pack, scratch_path(&scratch, "b"), "/data", NULL), 0);
	finish();
	assert_int_equal(cpio_read(archive.data, archive.len, check_mode, NULL, NULL), 0);
}

static const char *put_elf(const char *name, const struct elfmake *what)
{
	struct elfmake_file file;

	elfmake(what, &file);
	return scratch_write(&scratch, name, &file, sizeof(file), 0755);
}

static void libraries_go_to_one_folder_once(void **state)
{
	const struct elfmake one = { .runpath = "$ORIGIN/lib", .needed = { "liba.so", "libb.so" } };
	const struct elfmake two = { .runpath = "$ORIGIN/lib", .needed = { "libb.so" } };

	(void)state;
	put_elf("lib/liba.so", &two);
	put_elf("lib/libb.so", &(struct elfmake){ 0 });
	put_elf("lib/lib/libb.so", &(struct elfmake){ 0 });
	assert_int_equal(pack_add(pack, put_elf("one", &one), "/bin/one", NULL), 0);
	assert_int_equal(pack_add(pack, put_elf("two", &two), "/bin/two", NULL), 0);
	assert_string_equal(listed(), "usr/ usr/bin/ usr/bin/one usr/bin/two usr/lib/ "
				      "usr/lib/liba.so usr/lib/libb.so ");
	/* No path of this machine is a name in the archive. */
	assert_null(strstr(listed(), "tmp"));
}

static void what_the_image_has_is_left_out(void **state)
{
	const struct elfmake program = { .runpath = "$ORIGIN/lib",
					 .needed = { "liba.so", "libb.so", "libc.so" } };
	struct vm_image image = { .libraries = { { .name = "usr/lib/liba.so" },
						 { .name = "usr/lib/libb.so" } },
				  .nr_libraries = 2 };

	(void)state;
	assert_int_equal(
		stat(put_elf("lib/liba.so", &(struct elfmake){ 0 }), &image.libraries[0].st), 0);
	assert_int_equal(
		stat(put_elf("lib/libb.so", &(struct elfmake){ 0 }), &image.libraries[1].st), 0);
	/* Written once more since. */
	image.libraries[1].st.st_mtim.tv_nsec ^= 1;
	put_elf("lib/libc.so", &(struct elfmake){ 0 });
	pack_leave_out(pack, &image);
	assert_int_equal(pack_add(pack, put_elf("p", &program), "/bin/p", NULL), 0);
	assert_string_equal(listed(), "usr/ usr/bin/ usr/bin/p usr/lib/ usr/lib/libb.so "
				      "usr/lib/libc.so ");
}

static int note_size(void *arg, const struct cpio_entry *e)
{
	if (!strcmp(e->name, "usr/bin/me"))
		*(uint32_t *)arg = e->size;
	return 0;
}

static uint32_t packed_size(void)
{
	uint32_t size = 0;

	finish();
	assert_int_equal(cpio_read(archive.data, archive.len, note_size, &size, NULL), 0);
	return size;
}

static void programs_go_without_symbols(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(stat("/proc/self/exe", &st), 0);
	assert_int_equal(pack_add_program(pack, "/proc/self/exe", "/bin/me", NULL), 0);
	assert_in_range(packed_size(), 4096, (uintmax_t)st.st_size - 4096);
}

static void what_is_asked_for_by_name_is_whole(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(stat("/proc/self/exe", &st), 0);
	assert_int_equal(pack_add_program(pack, "/proc/self/exe", "/bin/me", NULL), 0);
	assert_int_equal(pack_add(pack, "/proc/self/exe", "/bin/me", NULL), 0);
	assert_int_equal(packed_size(), st.st_size);
}

static void missing_libraries_are_named(void **state)
{
	const struct elfmake program = { .needed = { "libktstr-nowhere.so.7" } };
	struct ktstr_error err = { 0 };

	(void)state;
	assert_int_equal(pack_add(pack, put_elf("program", &program), "/bin/p", &err), -ENOENT);
	assert_non_null(strstr(err.text, "'libktstr-nowhere.so.7', needed by '"));
	assert_non_null(strstr(err.text, "/program', was not found"));
}

static void two_files_for_one_path_are_refused(void **state)
{
	struct ktstr_error err = { 0 };
	const char *a = scratch_text(&scratch, "a", "1"), *b = scratch_text(&scratch, "b", "2");
	const char *copy = scratch_text(&scratch, "copy", "1");

	(void)state;
	assert_int_equal(pack_add(pack, a, "/bin/x", NULL), 0);
	assert_int_equal(pack_add(pack, a, "/bin/x", NULL), 0);
	assert_int_equal(pack_add(pack, copy, "/usr/bin/x", NULL), 0);
	assert_int_equal(pack_add(pack, b, "/bin/x", &err), -EEXIST);
	assert_non_null(strstr(err.text, "two different files for '/usr/bin/x'"));
	assert_non_null(strstr(err.text, a));
	assert_non_null(strstr(err.text, b));
	assert_int_equal(pack_link(pack, "y", "/bin/x", NULL), -EEXIST);
	assert_string_equal(listed(), "usr/ usr/bin/ usr/bin/x ");
}

static void conflicting_libraries_are_refused(void **state)
{
	const struct elfmake program = { .runpath = "$ORIGIN", .needed = { "liba.so" } };
	struct ktstr_error err = { 0 };

	(void)state;
	put_elf("1/liba.so", &(struct elfmake){ 0 });
	put_elf("2/liba.so", &(struct elfmake){ .interpreter = "/bin/sh" });
	assert_int_equal(pack_add(pack, put_elf("1/p", &program), "/bin/1", NULL), 0);
	assert_int_equal(pack_add(pack, put_elf("2/p", &program), "/bin/2", &err), -EEXIST);
	assert_non_null(strstr(err.text, "/usr/lib/liba.so"));
}

static void scripts_bring_their_interpreters(void **state)
{
	(void)state;
	scratch_text(&scratch, "s", "#! /bin/sh -e\n");
	scratch_text(&scratch, "e", "#!/usr/bin/env cat\n");
	assert_int_equal(pack_add(pack, scratch_path(&scratch, "s"), "/s", NULL), 0);
	assert_non_null(strstr(listed(), " usr/bin/sh "));
	assert_non_null(strstr(listed(), " usr/lib/libc.so.6 "));
	assert_null(strstr(listed(), " usr/bin/env "));
	tear_down(NULL);
	set_up(NULL);
	scratch_text(&scratch, "e", "#!/usr/bin/env cat\n");
	assert_int_equal(pack_add(pack, scratch_path(&scratch, "e"), "/e", NULL), 0);
	assert_non_null(strstr(listed(), " usr/bin/cat "));
	assert_non_null(strstr(listed(), " usr/bin/env "));
}

static void asked_for_files_win_over_implied_ones(void **state)
{
	(void)state;
	scratch_text(&scratch, "s", "#!/bin/sh\n");
	assert_int_equal(pack_add(pack, scratch_path(&scratch, "s"), "/s", NULL), 0);
	assert_int_equal(pack_link(pack, "busybox", "/bin/sh", NULL), 0);
	assert_int_equal(pack_add(pack, scratch_path(&scratch, "s"), "/s2", NULL), 0);
	assert_non_null(strstr(listed(), " usr/bin/sh>busybox "));
}

static void broken_scripts_are_refused(void **state)
{
	static const struct {
		const char *text;
		int code;
		const char *says;
	} cases[] = {
		{ "#!/nowhere/sh\n", -ENOENT, "interpreter '/nowhere/sh' of script" },
		{ "#!sh\n", -ENOENT, "with an absolute path" },
		{ "#!/usr/bin/env ktstr-nowhere\n", -ENOENT, "ktstr-nowhere" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ktstr_error err = { 0 };

		assert_int_equal(
			pack_add(pack, scratch_text(&scratch, "s", cases[i].text), "/s", &err),
			cases[i].code);
		if (!strstr(err.text, cases[i].says))
			fail_msg("'%s' is not in '%s'", cases[i].says, err.text);
	}
}

static void bad_inputs_are_refused(void **state)
{
	struct ktstr_error err = { 0 };
	const char *file = scratch_text(&scratch, "a", "1");

	(void)state;
	assert_int_equal(pack_add(pack, "/nowhere/x", "/x", &err), -ENOENT);
	assert_int_equal(pack_add(pack, scratch.dir, "/x", &err), -EISDIR);
	assert_int_equal(pack_add(pack, "/dev/null", "/x", &err), -EINVAL);
	assert_int_equal(pack_add(pack, file, "x", &err), -EINVAL);
	assert_int_equal(pack_add(pack, file, "/../x", &err), -EINVAL);
	assert_int_equal(pack_add(pack, file, "/a/", &err), -EINVAL);
	assert_int_equal(pack_link(pack, "", "/x", &err), -EINVAL);
	assert_int_equal(pack_add(pack, file, "/a", &err), 0);
	assert_int_equal(pack_add(pack, file, "/a/b", &err), 0);
	assert_int_equal(pack_finish(pack, &sums, &err), -ENOTDIR);
	assert_int_equal(
		pack_create(scratch_path(&scratch, "none/x"), &(struct pack *){ NULL }, &err),
		-ENOENT);
}

static void unfinished_archives_are_removed(void **state)
{
	char path[512];

	(void)state;
	snprintf(path, sizeof(path), "%s", scratch_path(&scratch, "files.cpio"));
	assert_int_equal(access(path, F_OK), 0);
	pack_destroy(pack);
	pack = NULL;
	assert_int_equal(access(path, F_OK), -1);
	pack_destroy(NULL);
}

/* The same files under other names, times, owners and order. */
static void archives_depend_on_content_only(void **state)
{
	struct strbuf first = STRBUF_INIT_LIMIT(ARCHIVE_MAX);

	(void)state;
	for (int round = 0; round < 2; round++) {
		const char *script, *data;

		if (round) {
			first = archive;
			archive = (struct strbuf)STRBUF_INIT_LIMIT(ARCHIVE_MAX);
			tear_down(NULL);
			set_up(NULL);
		}
		script = scratch_write(&scratch, round ? "s" : "other/s", "#!/bin/sh\n", 10,
				       round ? 0700 : 0755);
		data = scratch_text(&scratch, round ? "d" : "d2", "data");
		if (round)
			assert_int_equal(pack_add(pack, data, "/data", NULL), 0);
		assert_int_equal(pack_add(pack, script, "/s", NULL), 0);
		if (!round)
			assert_int_equal(pack_add(pack, data, "/data", NULL), 0);
		finish();
		assert_null(memmem(archive.data, archive.len, scratch.dir, strlen(scratch.dir)));
	}
	assert_int_equal(first.len, archive.len);
	assert_memory_equal(first.data, archive.data, first.len);
	strbuf_deinit(&first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(entries_are_sorted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sums_are_those_of_the_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(modes_are_reduced_to_two, set_up, tear_down),
		cmocka_unit_test_setup_teardown(libraries_go_to_one_folder_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_the_image_has_is_left_out, set_up, tear_down),
		cmocka_unit_test_setup_teardown(programs_go_without_symbols, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_asked_for_by_name_is_whole, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(missing_libraries_are_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(two_files_for_one_path_are_refused, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(conflicting_libraries_are_refused, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(scripts_bring_their_interpreters, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(asked_for_files_win_over_implied_ones, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(broken_scripts_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bad_inputs_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unfinished_archives_are_removed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(archives_depend_on_content_only, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
