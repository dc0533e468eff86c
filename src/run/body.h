/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * body.h - one running test, seen from inside the process that runs its body.
 *
 * The process is started as "PROGRAM --guest-body TEST SEED PERTURB FD" by the agent in a guest, or by the
 * runner for a host_only test.  FD is one end of a SOCK_SEQPACKET pair; one message is one frame
 * (protocol.h).  A fatal signal sends CRASH and then kills the process as it would have; a body
 * that returns sends DONE.  Everything here belongs to the thread that runs the body.
 */
#ifndef KTSTR_RUN_BODY_H
#define KTSTR_RUN_BODY_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/prng.h"
#include "run/protocol.h"
#include "run/registry.h"
#include <ktstr/test.h>

/* Longest of body_delay(). */
#define BODY_DELAY_NS USECS(200)

enum {
	/* Passing checks beyond this are only counted. */
	BODY_CHECKS_SENT = 10000,
	/* Failing checks, notes and values likewise, each. */
	BODY_OTHERS_SENT = 10000
};

struct ktstr {
	const struct ktstr_entry *entry;
	int record_fd;
	uint64_t seed;
	enum perturb perturb;
	struct prng workload; /* for the test */
	struct prng delays;   /* for body_delay() */
	uint64_t nr_checks, nr_failed, nr_notes, nr_values;
	struct ktstr_error pending; /* code 0: none */
};

struct body_opts {
	const struct ktstr_entry *entry;
	uint64_t seed;
	enum perturb perturb;
	int record_fd; /* borrowed */
};

/* NULL for lack of memory. */
struct ktstr *body_create(const struct body_opts *opts);
void body_destroy(struct ktstr *t);

/* Runs the test to its end and sends what it says.  Return: exit code of the process. */
int body_run(const struct body_opts *opts);

/* Is it "PROGRAM --guest-body TEST SEED PERTURB FD"? */
bool body_is_asked_for(int argc, char **argv);
/* The whole process then.  A test that @registry (NULL: there is none) has not is nothing but the
 * scenario that came with the job.  Return: its exit code. */
int body_main(char **argv, const struct registry *registry);

/* Where a library call that takes @t says why it failed.  Call it once, at the start of that
 * call: it forgets what an earlier call left.  EXPECT_OK() reads it. */
struct ktstr_error *body_error(struct ktstr *t);

/* Sends one record; takes @payload (NULL: lack of memory).  A runner that is gone ends the
 * process, as nothing it does could be judged any more. */
void body_send(struct ktstr *t, enum record_type type, json_t *payload);

/* Waits for a time drawn from the seed, 0 to BODY_DELAY_NS; not at all if nothing shall be perturbed.
 * Called where an interleaving begins: before the body's function, and before and after a process
 * is started. */
void body_delay(struct ktstr *t);

/* Is the body running on the host, without a VM? */
bool body_on_host(const struct ktstr *t);

#endif
