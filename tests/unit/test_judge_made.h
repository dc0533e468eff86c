/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* test_judge_made.h - judge made records, and compare what is said of one check. */
#ifndef KTSTR_TEST_JUDGE_MADE_H
#define KTSTR_TEST_JUDGE_MADE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/judge.h"
#include "tests/lib/made_records.h"

/* An exact machine of eight CPUs. */
static const struct judge_host made_host = {
	.exact = true,
	.nr_vcpus = 8,
	.measured = true,
};

/* The first finding of a check ("": of none); NULL: nothing is said of it. */
static inline const struct judge_finding *made_finding(const struct judge_findings *findings,
						       const char *check)
{
	enum ktstr_check_id id = KTSTR_JUDGE_none;

	while (*check && strcmp(ktstr_check_info(++id)->name, check) != 0)
		;
	for (size_t i = 0; i < findings->nr; i++)
		if (findings->items[i].check == id)
			return &findings->items[i];
	return NULL;
}

/* Judges, and compares the first finding of @check.
 * Return: NULL if its text contains @text, else what is wrong, until the next call. */
static inline const char *made_wrong(const json_t *records, const struct judge_host *host,
				     const char *check, enum ktstr_verdict verdict,
				     const char *text)
{
	static struct judge_findings findings;
	static char why[1024];
	const struct judge_finding *f;

	if (judge_run(records, true, host, &findings) < 0)
		return "lack of memory";
	f = made_finding(&findings, check);
	if (f && f->verdict == verdict && strstr(f->text, text))
		return NULL;
	snprintf(why, sizeof(why), "%s: wanted %s '%s', got %s: %s", check,
		 ktstr_verdict_name(verdict), text, f ? ktstr_verdict_name(f->verdict) : "nothing",
		 f ? f->text : "");
	return why;
}

#endif
