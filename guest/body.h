/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * body.h - the one program a job runs: found, started, its descriptors in our hands.
 */
#ifndef KTSTR_GUEST_BODY_H
#define KTSTR_GUEST_BODY_H

#include <sys/types.h>

#include "guest/perturb.h"
#include "run/protocol.h"

#define BODY_FOLDER  "/tmp"
#define BODY_BUSYBOX "/bin/busybox"

enum { BODY_PIPE_BYTES = 256 << 10 };

/* Descriptors are non-blocking ends of ours; -1 where the mode has none. */
struct body {
	pid_t pid; /* leads its own session and process group */
	int records;
	int output[2]; /* stdout, stderr */
	int terminal;  /* SHELL: the pty's master */
};

#define BODY_INIT                                                   \
	{                                                           \
		.records = -1, .output = { -1, -1 }, .terminal = -1 \
	}

/* What a body that is no shell speaks through, made before there is a job; -1: none. */
struct body_pipe {
	int ours, theirs;
};
struct body_pipes {
	struct body_pipe output[2], records;
};

#define BODY_PIPES_INIT                                                      \
	{                                                                    \
		.output = { { -1, -1 }, { -1, -1 } }, .records = { -1, -1 }, \
	}

/* Return: 0 or -errno; then nothing is open. */
int body_pipes_open(struct body_pipes *ret_pipes) KTSTR_MUST_CHECK;
void body_pipes_deinit(struct body_pipes *pipes);

/* Starts the job's program in BODY_FOLDER; @plan is NULL where nothing is perturbed.  @pipes are taken
 * or closed, also on failure.  Return: 0, -ENOENT, -EACCES (no such program, or none that may be
 * executed), -errno. */
int body_start(const struct job *job, const struct perturb_plan *plan, struct body_pipes *pipes,
	       struct body *ret_body, struct ktstr_error *err) KTSTR_MUST_CHECK;
/* Closes what is open; does not wait. */
void body_deinit(struct body *body);

#endif
