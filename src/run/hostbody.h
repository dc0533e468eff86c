/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* hostbody.h - run the body of a host_only test as a child process of the runner. */
#ifndef KTSTR_RUN_HOSTBODY_H
#define KTSTR_RUN_HOSTBODY_H

#include "run/evidence.h"
#include <ktstr/test.h>

struct hostbody_opts {
	const char *program; /* this program's file */
	const struct ktstr_entry *entry;
	uint64_t seed;
	enum perturb perturb;
	const char *dir;      /* receives records.bin and output.log */
	uint64_t timeout_ns;  /* of the body */
	uint64_t deadline_ns; /* of the run, CLOCK_MONOTONIC; UINT64_MAX: none */
};

/* Whatever happens becomes evidence.  Processes the body leaves behind are killed. */
void hostbody_run(const struct hostbody_opts *opts, struct evidence *e);

#endif
