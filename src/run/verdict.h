/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * verdict.h - from evidence to a verdict and its reasons.
 *
 * A pure function.  The first row that applies decides; rows stand in the order of what makes the
 * rest of the evidence worthless.  PASS needs all of: a guest with the topology that was asked for
 * that went down in order, a body that returned (DONE), and at least one check, none of them
 * failed.
 */
#ifndef KTSTR_RUN_VERDICT_H
#define KTSTR_RUN_VERDICT_H

#include "base/strbuf.h"
#include "run/evidence.h"
#include <ktstr/test.h>

enum { VERDICT_FAILED_SHOWN = 8 };

struct verdict {
	enum ktstr_verdict verdict;
	const char *end;       /* one word for programs, such as "panic"; static */
	bool console_matters;  /* its last lines help to understand */
	bool output_matters;   /* likewise the body's output */
	struct strbuf reasons; /* lines; the first one alone says what happened */
};

#define VERDICT_INIT                   \
	{                              \
		.reasons = STRBUF_INIT \
	}

/* @ret_verdict is initialised by the caller and released with verdict_deinit(). */
void verdict_judge(const struct evidence *e, struct verdict *ret_verdict);
void verdict_deinit(struct verdict *verdict);
#define _cleanup_verdict_ __attribute__((cleanup(verdict_deinit)))

/* Is @end one at a moment of the host's own (a limit of real time, Ctrl-C, a full disk, a process
 * that died)?  Then even an exact run is not the same next time. */
bool verdict_is_of_host(const char *end);

/* One failed CHECK record as lines: what was expected, what was seen, where, why. */
void verdict_add_check(struct strbuf *out, const json_t *check);

#endif
