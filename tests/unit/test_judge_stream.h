/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* test_judge_stream.h - one stream of made records, which a test of the judge spoils as it likes. */
#ifndef KTSTR_TEST_JUDGE_STREAM_H
#define KTSTR_TEST_JUDGE_STREAM_H

#include "tests/unit/test_judge_made.h"

static json_t *records;

static inline int made_set_up(void **state)
{
	(void)state;
	records = made_records(made_demands());
	return 0;
}

static inline int made_tear_down(void **state)
{
	(void)state;
	json_decref(records);
	return 0;
}

static inline void made_expect(const struct judge_host *host, const char *check,
			       enum ktstr_verdict verdict, const char *text)
{
	const char *wrong = made_wrong(records, host, check, verdict, text);

	if (wrong)
		fail_msg("%s", wrong);
}

static inline void expect(const char *check, enum ktstr_verdict verdict, const char *text)
{
	made_expect(&made_host, check, verdict, text);
}

#endif
