/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* payload_record.h - what a test's records say about one collected run of a payload. */
#ifndef KTSTR_RUN_PAYLOAD_RECORD_H
#define KTSTR_RUN_PAYLOAD_RECORD_H

#include <stdbool.h>
#include <sys/types.h>

#include "work/payload_metrics.h"
#include <ktstr/error.h>
#include <ktstr/payload.h>

struct ktstr;

struct payload_run {
	const struct ktstr_payload *payload;
	pid_t pid;
	const struct ktstr_proc_result *result;
	const struct metrics *metrics; /* NULL: none could be read, or none are declared */
	int metrics_failed;	       /* what metrics_parse() returned */
	struct ktstr_error metrics_error;
	bool left_running;
	const char *leftovers;
	char words[256]; /* last line of stderr */
};

/* Sends PAYLOAD, VALUE for each metric with a hint and a sane value, CHECK or UNDECIDED for each finding, and NOTE
 * for what else a reader must know. */
void payload_record(struct ktstr *t, const struct payload_run *run);

#endif
