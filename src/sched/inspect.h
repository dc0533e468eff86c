/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * inspect.h - can this file be a scheduler's loader in a guest?  Asked on the host, before a guest is
 * started for nothing.
 *
 * What is looked at: that it is there, an ordinary file, executable, and either an x86-64 program or a
 * script whose interpreter is there.  Missing libraries are found when it is packed (vm/closure.h).
 * Source: execve(2); System V ABI, gABI chapters 4 and 5.
 */
#ifndef KTSTR_SCHED_INSPECT_H
#define KTSTR_SCHED_INSPECT_H

#include <stddef.h>

#include <ktstr/error.h>

enum { INSPECT_HEAD_BYTES = 256 };

/*
 * @err: says what is wrong, and what would be right.
 * Return: 0; -ENOENT, -ENOTDIR, -EISDIR, -EACCES (not executable, or not to be read), -ENOEXEC (no
 * program for a guest), -errno of stat or open.
 */
int scheduler_inspect(const char *path, struct ktstr_error *err) KTSTR_MUST_CHECK;

/* The same for a file's first bytes, at most INSPECT_HEAD_BYTES; @path is for messages. */
int inspect_head(const char *path, const void *head, size_t length,
		 struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
