// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "sched/inspect.h"

#include "../lib/scratch.h"

static struct scratch folder;

static void expect(const char *path, int wanted, const char *text)
{
	struct ktstr_error err = { 0 };

	assert_int_equal(scheduler_inspect(path, &err), wanted);
	if (wanted < 0 && !strstr(err.text, text))
		fail_msg("'%s' is not in '%s'", text, err.text);
}

static void programs_and_scripts_are_taken(void **state)
{
	const struct scratch *s = *state;

	expect("/proc/self/exe", 0, "");
	expect(scratch_write(s, "script", "#! /bin/sh -e\n", 14, 0755), 0, "");
	expect(scratch_write(s, "short", "#!/bin/sh", 9, 0755), 0, "");
}

static void files_that_cannot_run_are_told(void **state)
{
	const struct scratch *s = *state;

	expect(scratch_path(s, "none"), -ENOENT, "No such file");
	expect(s->dir, -EISDIR, "is a folder");
	expect("/dev/null", -EACCES, "is no ordinary file");
	expect(scratch_write(s, "plain", "#!/bin/sh\n", 10, 0644), -EACCES, "try: chmod +x");
	expect(scratch_write(s, "empty", "", 0, 0755), -ENOEXEC, "is empty");
	expect(scratch_write(s, "text", "echo hello\n", 11, 0755), -ENOEXEC,
	       "neither a program nor a script");
	expect(scratch_write(s, "lost", "#!/no/such/shell\n", 17, 0755), -ENOEXEC,
	       "'/no/such/shell', the interpreter of script");
	expect(scratch_write(s, "bare", "#!sh\n", 5, 0755), -ENOEXEC, "absolute path");
	expect(scratch_write(s, "dos", "#!/bin/sh\r\n", 11, 0755), -ENOEXEC, "carriage returns");
}

static void expect_elf(const struct scratch *s, const Elf64_Ehdr *header, const char *text)
{
	expect(scratch_write(s, "elf", header, sizeof(*header), 0755), text ? -ENOEXEC : 0, text);
}

static void other_machines_are_named(void **state)
{
	const struct scratch *s = *state;
	const Elf64_Ehdr good = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, 1 },
		.e_type = ET_DYN,
		.e_machine = EM_X86_64,
	};
	Elf64_Ehdr header = good;

	expect_elf(s, &header, NULL);
	header.e_machine = EM_AARCH64;
	expect_elf(s, &header, "is a program for arm64; guests are x86-64");
	header.e_machine = 4711;
	expect_elf(s, &header, "machine 4711");
	header.e_machine = EM_BPF;
	header.e_type = ET_REL;
	expect_elf(s, &header, "is a BPF object; give the program that loads it");
	header = good;
	header.e_type = ET_REL;
	expect_elf(s, &header, "is an object file");
	header = good;
	header.e_ident[EI_DATA] = ELFDATA2MSB;
	expect_elf(s, &header, "big-endian");
	header = good;
	header.e_ident[EI_CLASS] = ELFCLASS32;
	header.e_machine = EM_386;
	expect_elf(s, &header, "32-bit x86");
	expect(scratch_write(s, "cut", &good, sizeof(good) - 1, 0755), -ENOEXEC, "neither");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(programs_and_scripts_are_taken, folder),
		SCRATCH_TEST(files_that_cannot_run_are_told, folder),
		SCRATCH_TEST(other_machines_are_named, folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
