/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * runner.h - run the selected tests one after the other and report them.
 */
#ifndef KTSTR_RUN_RUNNER_H
#define KTSTR_RUN_RUNNER_H

#include "run/registry.h"
#include "run/settings.h"

enum { RUNNER_TIMEOUT_S = 60 }; /* of a body that declares none */

struct runner_opts {
	const char *command; /* argv[0], for the line that runs a test again */
	const struct settings *settings;
	const struct registry *registry; /* selected */
};

/* Return: enum ktstr_exit; what kept the run from starting is in @err (HARNESS or USAGE). */
int runner_run(const struct runner_opts *opts, struct ktstr_error *err);

/* The command line that runs one test again with the same settings, malloc'ed, quoted for sh. */
char *runner_again(const char *command, const char *test, const struct settings *settings);

#endif
