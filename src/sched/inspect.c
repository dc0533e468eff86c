// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "sched/inspect.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { MACHINE_BPF = 247, MACHINE_AARCH64 = 183, MACHINE_RISCV = 243 };

static const char *machine_name(unsigned int machine, char buf[24])
{
	static const struct {
		unsigned int machine;
		const char *name;
	} names[] = {
		{ EM_386, "32-bit x86" },     { EM_ARM, "32-bit Arm" },
		{ MACHINE_AARCH64, "arm64" }, { MACHINE_RISCV, "RISC-V" },
		{ EM_PPC64, "64-bit POWER" }, { EM_S390, "s390" },
		{ EM_MIPS, "MIPS" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].machine == machine)
			return names[i].name;
	snprintf(buf, 24, "machine %u", machine);
	return buf;
}

static int inspect_elf(const char *path, const Elf64_Ehdr *header, struct ktstr_error *err)
{
	char buf[24];

	if (header->e_ident[EI_DATA] == ELFDATA2LSB && header->e_machine == MACHINE_BPF)
		return ktstr_error_set(err, -ENOEXEC,
				       "'%s' is a BPF object; give the program that loads it",
				       path);
	if (header->e_ident[EI_DATA] != ELFDATA2LSB)
		return ktstr_error_set(err, -ENOEXEC,
				       "'%s' is a program for a big-endian machine; guests are "
				       "x86-64",
				       path);
	if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_machine != EM_X86_64)
		return ktstr_error_set(err, -ENOEXEC, "'%s' is a program for %s; guests are x86-64",
				       path, machine_name(header->e_machine, buf));
	if (header->e_type != ET_EXEC && header->e_type != ET_DYN)
		return ktstr_error_set(err, -ENOEXEC,
				       "'%s' is an object file or core dump, not a program", path);
	return 0;
}

/* "#!/bin/sh -e": the kernel takes one word as the interpreter. */
static int inspect_script(const char *path, const char *line, size_t len, struct ktstr_error *err)
{
	char interpreter[INSPECT_HEAD_BYTES];
	size_t start = 2, end;

	while (start < len && (line[start] == ' ' || line[start] == '\t'))
		start++;
	for (end = start; end < len && !strchr(" \t\r\n", line[end]) && line[end];)
		end++;
	memcpy(interpreter, line + start, end - start);
	interpreter[end - start] = '\0';
	if (end < len && line[end] == '\r')
		return ktstr_error_set(err, -ENOEXEC,
				       "script '%s' has lines that end in carriage returns, so its "
				       "interpreter is not found; convert it",
				       path);
	if (interpreter[0] != '/')
		return ktstr_error_set(err, -ENOEXEC,
				       "script '%s' names no interpreter with an absolute path "
				       "after '#!'",
				       path);
	if (access(interpreter, X_OK) < 0)
		return ktstr_error_set(err, -ENOEXEC,
				       "'%s', the interpreter of script '%s', is not there or not "
				       "executable",
				       interpreter, path);
	return 0;
}

int inspect_head(const char *path, const void *head, size_t length, struct ktstr_error *err)
{
	Elf64_Ehdr header = { 0 };

	if (length > INSPECT_HEAD_BYTES)
		length = INSPECT_HEAD_BYTES;
	if (length == 0)
		return ktstr_error_set(err, -ENOEXEC, "'%s' is empty", path);
	if (length > 2 && !memcmp(head, "#!", 2))
		return inspect_script(path, head, length, err);
	if (length < sizeof(header) || memcmp(head, ELFMAG, SELFMAG) != 0)
		return ktstr_error_set(err, -ENOEXEC,
				       "'%s' is neither a program nor a script that begins with "
				       "'#!'",
				       path);
	memcpy(&header, head, sizeof(header));
	return inspect_elf(path, &header, err);
}

int scheduler_inspect(const char *path, struct ktstr_error *err)
{
	_cleanup_close_ int fd = -1;
	char head[INSPECT_HEAD_BYTES];
	struct stat st;
	ssize_t n;

	if (stat(path, &st) < 0)
		return ktstr_error_set(err, -errno, "scheduler '%s': %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return ktstr_error_set(err, -EISDIR, "scheduler '%s' is a folder", path);
	if (!S_ISREG(st.st_mode))
		return ktstr_error_set(err, -EACCES, "scheduler '%s' is no ordinary file", path);
	if (!(st.st_mode & 0111))
		return ktstr_error_set(err, -EACCES,
				       "scheduler '%s' is not executable; try: chmod +x '%s'", path,
				       path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : pread(fd, head, sizeof(head), 0);
	if (n < 0)
		return ktstr_error_set(err, -errno, "read scheduler '%s': %s", path,
				       strerror(errno));
	return inspect_head(path, head, (size_t)n, err);
}
