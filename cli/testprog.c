// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "testprog.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ktstr/test.h>

#include "cli.h"

#define TESTS_SECTION "ktstr_tests"

static bool has_tests(Elf *elf)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	size_t names;

	if (elf_getshdrstrndx(elf, &names) < 0)
		return false;
	while ((section = elf_nextscn(elf, section))) {
		const char *name = gelf_getshdr(section, &header)
					   ? elf_strptr(elf, names, header.sh_name)
					   : NULL;

		if (name && !strcmp(name, TESTS_SECTION) && header.sh_size)
			return true;
	}
	return false;
}

static int check_elf(int fd, const char *path, struct ktstr_error *err)
{
	Elf *elf = elf_version(EV_CURRENT) == EV_NONE ? NULL : elf_begin(fd, ELF_C_READ, NULL);
	GElf_Ehdr header;
	int r = 0;

	if (!elf || elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &header) ||
	    (header.e_type != ET_EXEC && header.e_type != ET_DYN))
		r = ktstr_error_set(err, -ENOEXEC, "'%s' is not a program", path);
	else if (header.e_machine != EM_X86_64)
		r = ktstr_error_set(err, -EXDEV, "'%s' is for another architecture than x86-64",
				    path);
	else if (!has_tests(elf))
		r = ktstr_error_set(
			err, -ENOEXEC,
			"'%s' is not a test program: it has no KTSTR_TEST(); a scheduler "
			"or other program is no test by itself",
			path);
	if (elf)
		elf_end(elf);
	return r;
}

int testprog_check(const char *path, struct ktstr_error *err)
{
	struct stat st;
	int fd, r;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		r = -errno;
		if (fd >= 0)
			close(fd);
		return ktstr_error_set(err, r, "open test program '%s': %s", path, strerror(-r));
	}
	if (!S_ISREG(st.st_mode))
		r = ktstr_error_set(err, -ENOEXEC, "'%s' is not a program", path);
	else
		r = check_elf(fd, path, err);
	close(fd);
	if (r == 0 && access(path, X_OK) < 0)
		return ktstr_error_set(err, -EACCES, "'%s' may not be executed; try: chmod +x '%s'",
				       path, path);
	return r;
}

int testprog_exec(char **argv)
{
	struct ktstr_error err;

	if (testprog_check(argv[0], &err) < 0)
		return cli_fail(KTSTR_EXIT_USAGE, &err);
	/* So that the command it gives for another run is one that a shell finds. */
	if (!strchr(argv[0], '/') && asprintf(&argv[0], "./%s", argv[0]) < 0)
		return cli_failf(KTSTR_EXIT_HARNESS, "out of memory");
	cli_flush_stdout();
	execv(argv[0], argv);
	return cli_failf(KTSTR_EXIT_HARNESS, "run '%s': %s", argv[0], strerror(errno));
}
