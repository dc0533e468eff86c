/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* testprog.h - hand over to a test program, if it is one. */
#ifndef KTSTR_TESTPROG_H
#define KTSTR_TESTPROG_H

#include <ktstr/error.h>

/* Is @path an executable that holds KTSTR_TEST()s?  Return: 0, -ENOENT, -EACCES, -ENOEXEC (not
 * ELF, or no tests in it), -EXDEV (for another architecture). */
int testprog_check(const char *path, struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Checks argv[0] and becomes it.  Return: an exit code, only if that failed; already printed. */
int testprog_exec(char **argv);

#endif
