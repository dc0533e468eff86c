/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * pressure.h - the text of a pressure file, of the machine or of a cgroup.
 *
 * Source: Documentation/accounting/psi.rst, psi_show() in kernel/sched/psi.c.
 */
#ifndef KTSTR_CTPROF_PRESSURE_H
#define KTSTR_CTPROF_PRESSURE_H

#include "ctprof/span.h"

enum { PRESSURE_AVG10, PRESSURE_AVG60, PRESSURE_AVG300, PRESSURE_TOTAL, PRESSURE_VALUES };

/* Averages in hundredths of a percent, totals in microseconds. */
struct pressure {
	bool some_known, full_known;
	int64_t some[PRESSURE_VALUES], full[PRESSURE_VALUES];
};

/* "12.34", taken as hundredths: 1234.  Return: 0, -EINVAL. */
int pressure_take_hundredths(struct span *s, int64_t *ret_value);
/* A line that is not understood is left out.  Return: 0, -EINVAL (there was such a line). */
int pressure_parse(struct span text, struct pressure *ret_pressure);
/*
 * Puts what @text says into a record's @values, and marks it in @present: "some" from row @first,
 * "full" right behind it; with @full_only "full" from row @first and no "some".
 * Return: that of pressure_parse().
 */
int pressure_set_rows(struct span text, unsigned int first, bool full_only, int64_t *values,
		      uint64_t *present);

#endif
