/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * loop.h - the life of one body, watched.
 *
 * Sends STARTED, forwards records and output, beats, ends the body at its limit, kills what it
 * leaves behind, and sends BODY_END once nothing can write any more.  Reaps every child of the
 * calling process, which must have SIGCHLD blocked.
 */
#ifndef KTSTR_GUEST_LOOP_H
#define KTSTR_GUEST_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "guest/body.h"
#include "guest/channel.h"
#include "guest/perturb.h"
#include "run/protocol.h"

enum {
	LOOP_OUTPUT_MAX = 16 << 20,	   /* bytes kept of stdout and of stderr, mode TEST */
	LOOP_EXEC_OUTPUT_MAX = 100 << 20,  /* mode EXEC, where more is an ERROR */
	LOOP_GARBAGE_SHOWN = 5,		   /* bad messages that get an ERROR each */
	LOOP_ENDING_NS = 10 * 1000000000ll /* for killed processes to go away */
};

/* What watching needs, made before there is a job. */
struct loop_ready {
	int signals, beat, limit;
	struct body_pipes pipes;
};

#define LOOP_READY_INIT                                                           \
	{                                                                         \
		.signals = -1, .beat = -1, .limit = -1, .pipes = BODY_PIPES_INIT, \
	}

struct loop_opts {
	const struct job *job;
	const struct perturb_plan *plan; /* NULL: nothing is perturbed */
	struct channel *channel;
	int shell_fd;		  /* SHELL: the host's terminal; else -1 */
	struct loop_ready *ready; /* taken from; the caller closes what is left */
	bool whole_machine;	  /* we are PID 1: end every process, not just the body's group */
};

/* How the body ended. */
struct loop_result {
	bool started;
	bool exited; /* exit_code counts; else signal */
	int exit_code;
	int signal;
};

/* Return: 0 or -errno; then nothing is open. */
int loop_make_ready(struct loop_ready *ret_ready) KTSTR_MUST_CHECK;
void loop_ready_deinit(struct loop_ready *ready);

/* Return: 0, or -errno of what the watching itself needs; a program that cannot be started is
 * reported to the host like any other end. */
int loop_run(const struct loop_opts *opts, struct loop_result *ret_result,
	     struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
