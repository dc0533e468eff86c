/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* rerun.h - the command lines that a report gives to repeat a run. */
#ifndef KTSTR_RUN_RERUN_H
#define KTSTR_RUN_RERUN_H

#include "run/plan.h"
#include "run/settings.h"

struct rerun_opts {
	const char *command; /* argv[0] */
	const struct settings *settings;
	const struct plan_item *item;
	const char *mode; /* of the result: "exact", "live", "host"; "": not known */
};

/* Runs one item again with the same settings; malloc'ed, quoted for sh. */
char *rerun_line(const struct rerun_opts *opts);

#endif
