/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * worker.h - what a worker process does: one item, from its needs to its result.
 *
 * It says what it has to say in lines of JSON: now and then {"type": "status", "exact", "virtual_ns",
 * "wall_ns"} while a guest runs, and at its end the result as in results.jsonl.
 */
#ifndef KTSTR_RUN_WORKER_H
#define KTSTR_RUN_WORKER_H

#include "run/machine.h"
#include "run/plan.h"
#include "run/result.h"
#include "run/session.h"
#include "run/settings.h"

enum { WORKER_TIMEOUT_S = 60 }; /* of a body that declares none, besides its scenario */

struct worker_opts {
	const char *command; /* argv[0], for the line that runs a test again */
	const char *program; /* own file */
	const char *run_dir, *objects_dir;
	bool scenarios; /* no test program: a run is repeated by its record */
	const struct settings *settings;
	const struct machine *machine; /* NULL: there is none, for this reason: */
	const struct ktstr_error *machine_error;
	uint64_t deadline_ns; /* of the run */
};

/* Return: the exit status, 0 if the result was written. */
int worker_run(const struct worker_opts *opts, const struct plan_item *item, int out_fd);

/* Fills in which run of which test the result is of; also for results made without a worker. */
int worker_name_result(const struct worker_opts *opts, const struct plan_item *item,
		       struct result *result) KTSTR_MUST_CHECK;

/* Writes result.json into the result's folder if it has one, and removes what nobody will read. */
void worker_keep_result(const struct worker_opts *opts, const struct result *result);

enum worker_says { WORKER_STATUS, WORKER_RESULT };

/* Reads a line.  Return: enum worker_says with that one filled in, or -errno. */
int worker_read(const char *line, struct session_status *ret_status, struct result *ret_result,
		struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
