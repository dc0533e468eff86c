// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "../lib/scratch.h"
#include "base/cleanup.h"
#include "base/cpio.h"
#include "base/io.h"
#include "base/path.h"
#include "run/jobfile.h"

static struct ktstr_error err;
static struct scratch scratch;

static void good(const char *spec, const char *host, const char *guest)
{
	char *seen_host = NULL, *seen_guest = NULL;

	assert_int_equal(jobfile_split(spec, &seen_host, &seen_guest, &err), 0);
	assert_string_equal(seen_host, host);
	assert_string_equal(seen_guest, guest);
	free(seen_host);
	free(seen_guest);
}

static void files_have_a_place(void **state)
{
	(void)state;
	good("a", "a", "/files/a");
	good("./x/a.b", "./x/a.b", "/files/a.b");
	good("a:/etc/b", "a", "/etc/b");
	good("a:b", "a:b", "/files/a:b");
	good("a:b:/c", "a:b", "/c");
}

static void strange_places_are_refused(void **state)
{
	static const char *const rows[] = { "", "a/", "a:/", "a:/x/", "a:/../x", "a:/x/..", ":/x" };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *host = NULL, *guest = NULL;

		assert_int_equal(jobfile_split(rows[i], &host, &guest, &err), -EINVAL);
		assert_null(host);
		assert_null(guest);
	}
}

static int list_entry(void *arg, const struct cpio_entry *e)
{
	if (S_ISREG(e->mode) && e->size < 100)
		strbuf_addf(arg, "%s=%.*s ", e->name, (int)e->size, (const char *)e->data);
	return 0;
}

static int pack_test(const struct ktstr_test *test, const char *program)
{
	const struct vm_image image = { .nr_libraries = 0 };
	const struct jobfile_archive to = { .path = scratch_path(&scratch, "files.cpio"),
					    .image = &image };
	const struct ktstr_entry entry = { .name = "t", .test = test };
	struct jobfile_packed packed = { .scenario = NULL };
	int r = jobfile_pack_test(&to, &entry, program, &packed, &err);

	if (r == 0)
		assert_null(packed.scenario);
	return r;
}

/* All that a test and its payloads name, the last of each list too. */
static void declared_files_are_packed(void **state)
{
	static const char script[] = "#!/bin/sh\n";
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT, list = STRBUF_INIT;
	const char *program = scratch_write(&scratch, "prog", script, strlen(script), 0755);
	const char *one = scratch_text(&scratch, "one", "1"),
		   *two = scratch_text(&scratch, "two", "2"),
		   *three = scratch_text(&scratch, "three", "3");
	_cleanup_free_ char *placed = path_format("%s:/etc/placed", two);
	struct ktstr_payload payload = { .name = "p", .binary = program };
	struct ktstr_test test = { .payloads = { [KTSTR_TEST_PAYLOADS - 1] = &payload } };

	(void)state;
	test.files[0] = one;
	test.files[KTSTR_TEST_FILES - 1] = placed;
	payload.files[KTSTR_PAYLOAD_FILES - 1] = three;
	if (pack_test(&test, program) < 0)
		fail_msg("%s", err.text);
	bytes = (struct strbuf)STRBUF_INIT_LIMIT(64 << 20);
	assert_int_equal(io_read_file(scratch_path(&scratch, "files.cpio"), &bytes, NULL), 0);
	assert_int_equal(cpio_read(bytes.data, bytes.len, list_entry, &list, NULL), 0);
	assert_string_equal(strbuf_str(&list), "etc/placed=2 files/one=1 files/three=3 "
					       "usr/bin/prog=#!/bin/sh\n ");
}

static void a_missing_file_is_named(void **state)
{
	const char *program = scratch_write(&scratch, "prog", "#!/bin/sh\n", 10, 0755);
	struct ktstr_payload payload = { .name = "p", .binary = program, .files = { "/none/of" } };
	const struct ktstr_test own = { .files = { "/none/test" } },
				theirs = { .payloads = { &payload } };

	(void)state;
	assert_int_equal(pack_test(&own, program), -ENOENT);
	assert_non_null(strstr(err.text, "file for the guest: "));
	assert_non_null(strstr(err.text, "'/none/test'"));
	assert_int_equal(pack_test(&theirs, program), -ENOENT);
	assert_non_null(strstr(err.text, "payload 'p': file for the guest: "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_have_a_place),
		cmocka_unit_test(strange_places_are_refused),
		SCRATCH_TEST(declared_files_are_packed, scratch),
		SCRATCH_TEST(a_missing_file_is_named, scratch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
