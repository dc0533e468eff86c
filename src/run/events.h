/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * events.h - two runs' streams of records, side by side.
 *
 * Both files are read frame by frame up to BYE; neither is trusted.
 */
#ifndef KTSTR_RUN_EVENTS_H
#define KTSTR_RUN_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "run/protocol.h"

struct events_diff {
	uint64_t nr_same; /* events that are equal in both, from the first on */
	bool parted;
	bool ended; /* not parted but one stops before the other, and has no BYE */
	/* If parted, and of the run that was recorded unless it had ended there: */
	enum record_type type;
	uint64_t virtual_ns; /* since HELLO */
	char *then, *now;    /* one line each, cleaned */
};

/* Return: 0 (whatever the streams hold), -ENOENT, -ENOMEM, -errno of reading. */
int events_compare(const char *then_path, const char *now_path, struct events_diff *ret_diff,
		   struct ktstr_error *err) KTSTR_MUST_CHECK;
void events_diff_deinit(struct events_diff *diff);

/* The first event that made the run fail: a failed CHECK, CRASH, TIMEOUT or ERROR, or the end of the
 * scheduler of a scenario.  What a scenario's records are judged by afterwards has none: then the end
 * of its last step.  Return: 0 and its seq and type; -ENOENT: there is none (or no such file); -errno. */
int events_find_failure(const char *path, uint64_t *ret_seq, enum record_type *ret_type,
			struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
