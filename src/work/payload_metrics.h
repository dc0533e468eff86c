/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * payload_metrics.h - numbers from what a program printed.
 *
 * A document is a JSON object or array that begins in the first column of a line and is followed
 * by nothing but blanks on its last line; other lines are a program's chatter and are passed over.
 * Of several documents the last complete one counts: programs that report as they go print their
 * totals last.  A document that was begun and is not whole never counts, and nothing inside it is
 * taken for one.
 *
 * Metrics are its numbers, named by the path to them: {"a":{"b":[7,8]}} gives a.b.0 = 7 and
 * a.b.1 = 8.  Booleans, strings (even "7") and null are not numbers.  A document with a number that
 * is none (NaN, Infinity) or does not fit a double, or with a name twice, is refused as a whole:
 * which of its numbers to believe is not ours to guess.
 *
 * Limits: METRICS_DEPTH levels, names of METRICS_NAME_BYTES without control characters,
 * KTSTR_PAYLOAD_VALUES values; wanted names are kept first, and what did not fit is counted.
 */
#ifndef KTSTR_WORK_PAYLOAD_METRICS_H
#define KTSTR_WORK_PAYLOAD_METRICS_H

#include <stddef.h>

#include <ktstr/error.h>
#include <ktstr/payload.h>

enum { METRICS_DEPTH = 64, METRICS_NAME_BYTES = 128, METRICS_WORK = 8 };

struct metric {
	char name[METRICS_NAME_BYTES];
	double value;
};

struct metrics {
	struct metric values[KTSTR_PAYLOAD_VALUES]; /* in the document's order */
	unsigned int nr;
	unsigned int dropped;	/* numbers over a limit */
	unsigned int documents; /* complete ones seen */
};

/*
 * Replaces @ret_metrics, whatever is returned.  @wanted: NULL-terminated names to keep first, at
 * most KTSTR_PAYLOAD_VALUES; may be NULL.
 * Return: 0, -ENODATA (no document; @err says what the last attempt stumbled over), -EBADMSG (the
 * last complete document is refused), -E2BIG (METRICS_WORK times the output was read looking for a
 * document), -ENOMEM.
 */
int metrics_parse(const char *text, size_t length, const char *const *wanted,
		  struct metrics *ret_metrics, struct ktstr_error *err) KTSTR_MUST_CHECK;
/* Return: 0, -ENODATA (not there), -EOVERFLOW (not there, and some were dropped). */
int metrics_get(const struct metrics *metrics, const char *name,
		double *ret_value) KTSTR_MUST_CHECK;

#endif
