/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* progress.h - one line on a terminal: how far the run is, and what runs. */
#ifndef KTSTR_RUN_PROGRESS_H
#define KTSTR_RUN_PROGRESS_H

#include "run/result.h"
#include "run/session.h"

enum { PROGRESS_NAMES = 3 };

struct progress_item {
	const char *id;
	struct session_status status;
};

struct progress {
	const struct totals *totals;
	struct progress_item running[PROGRESS_NAMES]; /* the first ones */
	size_t nr_running;
	uint64_t elapsed_ns; /* 0: not said */
	bool stopping;	     /* nothing more will be started */
};

/* "[12/100] 41 s, 10 passed 2 failed; a@5 (virtual 12.00 s in 3.10 s), b and 2 more ..." */
void progress_line(const struct progress *progress, struct strbuf *out);

#endif
