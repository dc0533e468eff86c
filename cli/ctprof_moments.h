/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* ctprof_moments.h - operands such as FILE and FILE@N as sides of a comparison. */
#ifndef KTSTR_CLI_CTPROF_MOMENTS_H
#define KTSTR_CLI_CTPROF_MOMENTS_H

#include <ktstr/ctprof_compare.h>

enum { CTPROF_MOMENTS_FILES = 2 };

/* What the operands were loaded as; zeroed: nothing. */
struct ctprof_moments {
	struct ktstr_ctprof_series *series[CTPROF_MOMENTS_FILES];
	struct ktstr_ctprof_side sides[2];
	unsigned int nr_sides;
	char names[CTPROF_MOMENTS_FILES][256];
};

void ctprof_moments_deinit(struct ctprof_moments *m);
#define _cleanup_ctprof_moments_ __attribute__((cleanup(ctprof_moments_deinit)))

/* Of one operand, FILE or FILE@N: one side, the last moment or moment N, from 1.  Return: -1 to
 * go on, else an exit code. */
int ctprof_moments_one(char **operands, struct ctprof_moments *ret_moments);
/* Two sides.  Two operands: each a moment, or a series, which is a window from its first moment
 * to its last.  One operand: a series' first moment and its last. */
int ctprof_moments_two(char **operands, size_t nr, struct ctprof_moments *ret_moments);

#endif
