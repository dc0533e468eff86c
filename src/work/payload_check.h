/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * payload_check.h - a payload's declaration applied to one run of it.
 *
 * Before the run: is the declaration sound, and what is the command line.  After it: one finding
 * per declared check and per metric outside its sane bounds.
 *
 *	check			 holds	does not	metric missing
 *	EXIT			 PASS	FAIL		-
 *	AT_MOST, AT_LEAST	 PASS	FAIL		UNDECIDED
 *	PRESENT			 PASS	-		FAIL
 *	hint with bounds	 -	ERROR		-
 *
 * A check of a metric that is outside its sane bounds is ERROR whatever the value, as the value is
 * no result.  When the output holds a broken document, was cut, or had more metrics than are kept,
 * PRESENT is UNDECIDED too: nobody can tell whether it was reported.
 */
#ifndef KTSTR_WORK_PAYLOAD_CHECK_H
#define KTSTR_WORK_PAYLOAD_CHECK_H

#include <stdbool.h>

#include "work/payload_metrics.h"
#include <ktstr/error.h>
#include <ktstr/payload.h>
#include <ktstr/test.h>

enum { PAYLOAD_FINDINGS = KTSTR_PAYLOAD_CHECKS + KTSTR_PAYLOAD_METRICS };

struct payload_end {
	const struct ktstr_proc_result *result;
	const struct metrics *metrics; /* NULL: none could be read */
	const char *metrics_error;     /* why; NULL if the output had a readable document */
	bool nothing_said;	       /* there was no document at all, not even a broken one */
};

struct payload_finding {
	enum ktstr_verdict verdict; /* PASS, FAIL, UNDECIDED or ERROR */
	char text[256];		    /* what was to hold */
	char actual[256];	    /* "" if nothing was seen */
	char bound[64];		    /* "" if there is none */
	char why[512];		    /* "" if there is nothing to say */
};

/* Return: 0, or -EINVAL with the first fault. */
int payload_validate(const struct ktstr_payload *payload, struct ktstr_error *err) KTSTR_MUST_CHECK;

/* argv of a run: the binary's base name, the declared arguments, then @added (may be NULL).
 * Strings are borrowed, the array is malloc'ed.
 * Return: 0, -EINVAL (a flag that is not allowed, too many arguments), -ENOMEM. */
int payload_arguments(const struct ktstr_payload *payload, const char *const *added,
		      const char ***ret_argv, struct ktstr_error *err) KTSTR_MUST_CHECK;

/* NULL-terminated names of the metrics that checks and hints are about; @names holds
 * PAYLOAD_FINDINGS + 1. */
void payload_wanted_metrics(const struct ktstr_payload *payload, const char **names);

/* Return: findings written, at most PAYLOAD_FINDINGS. */
unsigned int payload_judge(const struct ktstr_payload *payload, const struct payload_end *end,
			   struct payload_finding findings[PAYLOAD_FINDINGS]);

/* False if the metric has a hint with bounds and @value is outside them. */
bool payload_value_is_sane(const struct ktstr_payload *payload, const char *metric, double value);

/* "exited with 3 (BYTES was 0)", "was killed by signal 9 (Killed)" */
void payload_describe_end(const struct ktstr_payload *payload,
			  const struct ktstr_proc_result *result, char *buf, size_t size);

#endif
