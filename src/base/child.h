/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * child.h - child processes that never outlive their parent.
 *
 * Life cycle:
 *  1. child_start() forks, leads a new process group (unless same_group), asks the kernel for
 *     SIGKILL when the starting thread dies, and executes; a failed exec is reported here.
 *  2. child_poll() or child_wait() collect the exit; pidfd becomes readable when it is there.
 *  3. child_kill() sends SIGKILL to the whole group; still collect afterwards.
 *  4. child_deinit() kills and reaps whatever is left; safe on a zeroed or finished struct.
 */
#ifndef KTSTR_BASE_CHILD_H
#define KTSTR_BASE_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/strbuf.h"
#include <ktstr/error.h>

enum { CHILD_MAX_FDS = 8 };

struct child {
	pid_t pid; /* 0: none or already collected */
	pid_t group;
	int pidfd;
	bool collected;
	bool lost;     /* somebody else took the exit status: code and signal are unknown */
	int exit_code; /* valid if collected, not lost and signal == 0 */
	int signal;    /* terminating signal or 0 */
};

#define CHILD_INIT          \
	{                   \
		.pidfd = -1 \
	}
#define _cleanup_child_ __attribute__((cleanup(child_deinit)))

struct child_opts {
	const char *file;		    /* with a '/'; NULL: argv[0] */
	const char *const *argv;	    /* NULL-terminated */
	const char *const *env;		    /* NULL: inherit */
	const char *cwd;		    /* NULL: inherit */
	int stdin_fd, stdout_fd, stderr_fd; /* -1: /dev/null; borrowed */
	/* Descriptors that the child gets under the same number; borrowed. */
	int keep_fds[CHILD_MAX_FDS];
	unsigned int nr_keep_fds;
	bool same_group;
	bool outlive_parent; /* no death signal */
	/* The caller waits until the child executes, which uses its memory meanwhile (vfork(2)):
	 * cheaper, but @prepare must leave alone what the caller's threads use. */
	bool borrow_memory;
	/* For code that is not ours: as nobody if root, no new privileges, no writing of files, 2 s
	 * of CPU time, 1 GiB of address space. */
	bool unprivileged;
	/* Called in the child right before it executes; -errno ends it and is reported here. */
	int (*prepare)(void *arg);
	void *prepare_arg;
};

int child_start(const struct child_opts *opts, struct child *ret_child,
		struct ktstr_error *err) KTSTR_MUST_CHECK;
/* Return: 1 collected, 0 still running, -ECHILD (none, or its status is lost), -errno. */
int child_poll(struct child *child);
/* Waits at most @timeout_ns (UINT64_MAX: no limit).  Return: 0, -ETIMEDOUT, -ECHILD, -errno. */
int child_wait(struct child *child, uint64_t timeout_ns) KTSTR_MUST_CHECK;
/* To the whole group if it leads one, collected or not, and to the child itself until collected. */
void child_kill(struct child *child, int signal);
void child_deinit(struct child *child);

/* Runs argv to its end with output captured (stderr joins stdout if @ret_stderr is NULL).
 * Return: exit code 0..255, or -errno (-ETIMEDOUT; -EINTR if killed by a signal). */
int child_run(const char *const *argv, uint64_t timeout_ns, struct strbuf *ret_stdout,
	      struct strbuf *ret_stderr, struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
