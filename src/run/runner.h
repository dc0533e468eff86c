/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * runner.h - run what was asked for, several runs at a time, and report it.
 *
 * Each run is done by a worker process (pool.h, worker.h); this one starts them in the order of the
 * plan when there is room (admission.h), and reports their results as they come.
 *
 * Ends.  The first signal is passed on as SIGTERM, and what the workers make of it is collected; the
 * second, RUNNER_INSIST_NS later at the earliest, kills them.  Beyond the run's time limit workers
 * end by themselves; those that do not are told after RUNNER_TELL_NS and killed after RUNNER_KILL_NS.
 */
#ifndef KTSTR_RUN_RUNNER_H
#define KTSTR_RUN_RUNNER_H

#include "run/registry.h"
#include "run/result.h"
#include "run/settings.h"

#define RUNNER_INSIST_NS MSECS(300)
#define RUNNER_TELL_NS	 SECS(2)
#define RUNNER_KILL_NS	 SECS(10)

struct runner_opts {
	const char *command; /* argv[0], for the line that runs a test again */
	const struct settings *settings;
	const struct registry *registry; /* selected */
	bool scenarios; /* no test program: what drives scenarios is started in guests */
	/* Who comes first: the lowest, and of equals by index; NULL: who takes longest. */
	uint64_t (*rank)(void *arg, const struct ktstr_entry *entry);
	/* Takes each result when it comes, and then the totals; NULL: they are reported as usual.
	 * False: start nothing more. */
	bool (*sink)(void *arg, const struct result *result);
	void (*total)(void *arg, const struct totals *totals, const char *run_dir);
	void *arg;
	bool quiet; /* no progress line */
};

/* Return: enum ktstr_exit; what kept the run from starting is in @err (HARNESS or USAGE). */
int runner_run(const struct runner_opts *opts, struct ktstr_error *err);

#endif
