/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * ctprof_condition.h - is a comparison such as to fail?
 *
 *	condition = [side] METRIC op number [unit] ["in" [grouping] GLOB]
 *	side      = "before" | "after" | "change"		"change" if not said
 *	op        = ">" | ">=" | "<" | "<="
 *	number    = ["+" | "-"] digits ["." digits]
 *	unit      = "%" | "ns" | "us" | "ms" | "s" | "m" | "h" | "d"	of times
 *	          | "B" | "K" | "M" | "G" | "T", and with "iB"	of bytes: powers of 1024
 *	          | "K" | "M" | "G"				of counts: powers of 1000
 *	grouping  = "cgroup" | "process" | "thread" | "name"
 *
 * METRIC may lack its unit: wait_sum is wait_sum_ns.  A number without a unit is in the metric's
 * own.  "%" of a change is relative to the first side; of ratios and pressure it is their own unit
 * (points).  Without "in" all threads together are meant; with it every group whose label matches
 * (GLOB takes the rest of the text), and one that meets the condition is enough.  Groups that are
 * on one side only have no change and are passed over.
 *
 *	wait_sum > 20%
 *	after wait_max >= 50ms in process postgres*
 *	nr_migrations > 10K in *
 *
 * Undecided, neither met nor not: no group matches; the value is absent; or of more than
 * KTSTR_CTPROF_MISSING_PERCENT of the threads it is about it is absent or went back, or they ended
 * meanwhile.  What is known may meet a condition all the same, where the rest could only add to it.
 */
#ifndef KTSTR_CTPROF_CONDITION_H
#define KTSTR_CTPROF_CONDITION_H

#include <ktstr/ctprof_compare.h>

enum {
	KTSTR_CTPROF_MISSING_PERCENT = 5,
	KTSTR_CTPROF_METRIC_BYTES = 64,
	KTSTR_CTPROF_GLOB_BYTES = 256,
	KTSTR_CTPROF_FINDING_BYTES = 512
};

enum ktstr_ctprof_outcome { KTSTR_CTPROF_NOT_MET, KTSTR_CTPROF_UNDECIDED, KTSTR_CTPROF_MET };

enum ktstr_ctprof_subject {
	KTSTR_CTPROF_SUBJECT_CHANGE,
	KTSTR_CTPROF_SUBJECT_BEFORE,
	KTSTR_CTPROF_SUBJECT_AFTER
};

struct ktstr_ctprof_condition {
	char metric[KTSTR_CTPROF_METRIC_BYTES]; /* in full */
	enum ktstr_ctprof_subject subject;
	bool less, or_equal; /* <, >= and so on */
	bool percent;	     /* of the first side */
	double number;	     /* percent, or in the metric's unit */
	bool in_groups;
	enum ktstr_ctprof_group_by by; /* BY_ALL: whatever the comparison is grouped by */
	char glob[KTSTR_CTPROF_GLOB_BYTES];
};

/**
 * ktstr_ctprof_condition_parse() - understand a condition.
 * @text:	one, as above
 * @ret_condition: written on success
 * @err:	says where and what was expected; may be NULL
 *
 * Return: 0, -EINVAL.
 */
KTSTR_API int ktstr_ctprof_condition_parse(const char *text,
					   struct ktstr_ctprof_condition *ret_condition,
					   struct ktstr_error *err) KTSTR_MUST_CHECK;

/**
 * ktstr_ctprof_condition_check() - does a comparison meet a condition?
 * @condition:	as parsed
 * @comparison:	of two sides; must have the metric, and a block of the condition's grouping
 * @finding:	receives what was found, of which group, for people; one line
 *
 * Return: the outcome.
 */
KTSTR_API enum ktstr_ctprof_outcome ktstr_ctprof_condition_check(
	const struct ktstr_ctprof_condition *condition,
	const struct ktstr_ctprof_comparison *comparison, char finding[KTSTR_CTPROF_FINDING_BYTES]);

#endif
