// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/scratch.h"
#include "vm/filememo.h"
#include "vm/qemu.h"

static struct scratch scratch;

static const char *put_qemu(const char *script)
{
	return scratch_write(&scratch, "bin/qemu-system-x86_64", script, strlen(script), 0755);
}

static void versions_are_read(void **state)
{
	static const struct {
		const char *text;
		uint32_t major, minor, micro;
		const char *version;
	} cases[] = {
		{ "QEMU emulator version 10.0.2 (Debian 1:10.0.2+ds-2+deb13u1~bpo12+1)\nCopyright\n",
		  10, 0, 2, "10.0.2 (Debian 1:10.0.2+ds-2+deb13u1~bpo12+1)" },
		{ "QEMU emulator version 7.2.22", 7, 2, 22, "7.2.22" },
		{ "QEMU emulator version 9.2.0-rc1\n", 9, 2, 0, "9.2.0-rc1" },
		{ "QEMU emulator version 11.1\n", 11, 1, 0, "11.1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ktstr_qemu qemu = { 0 };

		assert_int_equal(qemu_version_parse(cases[i].text, &qemu), 0);
		assert_int_equal(qemu.major, cases[i].major);
		assert_int_equal(qemu.minor, cases[i].minor);
		assert_int_equal(qemu.micro, cases[i].micro);
		assert_string_equal(qemu.version, cases[i].version);
	}
}

static void other_texts_are_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"GNU bash, version 5.2.15",
		"QEMU emulator version ",
		"QEMU emulator version x.1",
		"QEMU emulator version 10",
		"QEMU emulator version 10 (no minor)",
		"QEMU emulator version 10.",
		"QEMU emulator version 10.0.",
		"QEMU emulator version -1.0.0",
		"QEMU emulator version 99999999999999999999.0",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct ktstr_qemu qemu = { .major = 77 };

		assert_int_equal(qemu_version_parse(texts[i], &qemu), -EPROTO);
		assert_int_equal(qemu.major, 77);
	}
}

static void firmware_beside_qemu_is_taken(void **state)
{
	struct ktstr_qemu qemu;
	struct ktstr_error err = { 0 };

	(void)state;
	scratch_text(&scratch, "share/qemu/qboot.rom", "x");
	assert_int_equal(ktstr_qemu_find(put_qemu("#!/bin/sh\n"
						  "[ \"$*\" = --version ] || exit 1\n"
						  "echo QEMU emulator version 8.1.5\n"),
					 &qemu, &err),
			 0);
	assert_int_equal(qemu.major, 8);
	assert_string_equal(qemu.path, scratch_path(&scratch, "bin/qemu-system-x86_64"));
	assert_string_equal(qemu.firmware_path, scratch_path(&scratch, "share/qemu/qboot.rom"));
}

static void a_version_is_remembered_until_the_file_changes(void **state)
{
	static const char elf[] = "\177ELF", more[] = "\177ELF and more";
	const char *path = scratch_write(&scratch, "bin/q", elf, sizeof(elf) - 1, 0755);
	char cache[512], text[1024];
	struct ktstr_error err = { 0 };
	struct ktstr_qemu qemu;
	struct filememo memo;
	struct stat st;

	(void)state;
	snprintf(cache, sizeof(cache), "%s/ktstr", scratch.dir);
	assert_int_equal(setenv("XDG_CACHE_HOME", scratch.dir, 1), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(filememo_init(&memo, cache, "qemu", "qemu", path, &st), 0);
	snprintf(text, sizeof(text), "%sQEMU emulator version 9.1.2 (x)\n", memo.subject);
	scratch_text(&scratch, memo.place + strlen(scratch.dir) + 1, text);
	filememo_deinit(&memo);
	assert_int_equal(ktstr_qemu_find(path, &qemu, &err), 0);
	assert_int_equal(qemu.major, 9);
	assert_string_equal(qemu.version, "9.1.2 (x)");
	path = scratch_write(&scratch, "bin/q", more, sizeof(more) - 1, 0755);
	assert_true(ktstr_qemu_find(path, &qemu, &err) < 0);
	unsetenv("XDG_CACHE_HOME");
}

static void unusable_programs_are_refused(void **state)
{
	static const struct {
		const char *script;
		int code;
		const char *says;
	} cases[] = {
		{ "#!/bin/sh\necho QEMU emulator version 6.2.0\n", -ENOTSUP, "QEMU 6.2.0 ('" },
		{ "#!/bin/sh\necho QEMU emulator version 6.2.0\n", -ENOTSUP, "bookworm-backports" },
		{ "#!/bin/sh\necho hello\n", -EPROTO,
		  "--version' is not understood (exit 0, 'hello')" },
		{ "#!/bin/sh\necho QEMU emulator version 10.0.2\nexit 3\n", -EPROTO, "exit 3" },
		{ "#!/bin/sh\nkill -9 $$\n", -EINTR, "was killed by signal 9" },
		{ "#!/nowhere/sh\n", -ENOENT, "No such file" },
		{ "#!/bin/sh\nwhile echo QEMU; do :; done\n", -EPROTO, "not understood" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ktstr_qemu qemu = { .major = 77 };
		struct ktstr_error err = { 0 };

		assert_int_equal(ktstr_qemu_find(put_qemu(cases[i].script), &qemu, &err),
				 cases[i].code);
		if (!strstr(err.text, cases[i].says))
			fail_msg("'%s' is not in '%s'", cases[i].says, err.text);
		assert_int_equal(qemu.major, 77);
	}
}

static void missing_programs_name_the_package(void **state)
{
	struct ktstr_qemu qemu;
	struct ktstr_error err = { 0 };

	(void)state;
	assert_int_equal(ktstr_qemu_find("/nowhere/qemu", &qemu, &err), -ENOENT);
	assert_non_null(strstr(err.text, "'/nowhere/qemu' was not found"));
	assert_non_null(strstr(err.text, "qemu-system-x86"));
	assert_int_equal(ktstr_qemu_find("/nowhere/qemu", &qemu, NULL), -ENOENT);
	scratch_text(&scratch, "plain", "#!/bin/sh\n");
	assert_int_equal(ktstr_qemu_find(scratch_path(&scratch, "plain"), &qemu, &err), -EACCES);
	assert_non_null(strstr(err.text, "chmod +x"));
	assert_int_equal(ktstr_qemu_find(scratch.dir, &qemu, &err), -EACCES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_are_read),
		cmocka_unit_test(other_texts_are_refused),
		SCRATCH_TEST(firmware_beside_qemu_is_taken, scratch),
		SCRATCH_TEST(a_version_is_remembered_until_the_file_changes, scratch),
		SCRATCH_TEST(unusable_programs_are_refused, scratch),
		SCRATCH_TEST(missing_programs_name_the_package, scratch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
