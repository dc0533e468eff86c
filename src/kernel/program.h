/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * program.h - run the programs that fetching and unpacking rest on.
 *
 * What a program writes is collected in memory, in the C locale; program_wait() turns a failure
 * into one error with its last lines.  ktstr_kernel_interrupt() ends every wait with -EINTR after
 * the program was killed.
 */
#ifndef KTSTR_KERNEL_PROGRAM_H
#define KTSTR_KERNEL_PROGRAM_H

#include <stdbool.h>

#include "base/child.h"
#include "base/strbuf.h"
#include <ktstr/error.h>

enum { PROGRAM_MAX_ARGS = 512 };

struct program {
	struct child child;
	int output_fd; /* what it wrote to stderr, and to stdout unless that was redirected */
	char name[32];
};

#define PROGRAM_INIT                                 \
	{                                            \
		.child = CHILD_INIT, .output_fd = -1 \
	}
#define _cleanup_program_ __attribute__((cleanup(program_deinit)))

struct program_opts {
	const char *const *argv; /* argv[0] is looked up in PATH */
	const char *package;	 /* what to install if it is missing; NULL: the program's name */
	const char *cwd;	 /* NULL: inherit */
	const char *tmp_dir;	 /* where it may leave files when it is killed; NULL: inherit */
	int stdin_fd, stdout_fd; /* 0: /dev/null and collected; borrowed */
};

/* Return: 0, -ENOTSUP (not installed; the text names the package), -errno. */
int program_start(const struct program_opts *opts, struct program *ret_program,
		  struct ktstr_error *err) KTSTR_MUST_CHECK;
/* Return: 0 (exit code 0), -EIO (it failed), -ENOSPC and -ENETUNREACH (it said so), -EINTR.
 * @ret_output may be NULL. */
int program_wait(struct program *program, struct strbuf *ret_output,
		 struct ktstr_error *err) KTSTR_MUST_CHECK;
int program_run(const struct program_opts *opts, struct strbuf *ret_output,
		struct ktstr_error *err) KTSTR_MUST_CHECK;
void program_deinit(struct program *program);

/* Was ktstr_kernel_interrupt() called? */
bool program_interrupted(void);

#endif
