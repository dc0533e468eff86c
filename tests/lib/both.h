/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * both.h - one population, seen by both collectors.
 *
 * A record by BPF is taken between two by procfs.  Of every thread that all three have:
 * - what procfs has, BPF has;
 * - a value that only grows lies between the other two, one that only falls as well;
 * - any other value or text that procfs saw alike both times is the same, if the thread neither
 *   ran nor moved in between.
 * By design these are seen otherwise:
 * - utime and stime are shares of one measured time, and each reading of /proc fixes a floor for
 *   the next: neither is below the first reading, and their sum lies between the readings;
 * - the kernel's peak of resident memory goes back, as it is kept without what CPUs count for
 *   themselves: so many pages are allowed either way.
 */
#ifndef KTSTR_TESTS_LIB_BOTH_H
#define KTSTR_TESTS_LIB_BOTH_H

#include <ktstr/ctprof.h>

struct both {
	struct ktstr_ctprof *first, *bpf, *last; /* procfs, bpf, procfs */
};

struct both_result {
	size_t threads, values; /* that were compared */
	size_t wrong;
	char text[512]; /* the first that were wrong */
};

/* @pid: as in the options of a capture.  Return: 0 or what the failed capture gave. */
int both_capture(pid_t pid, struct both *ret_both, struct ktstr_error *err);
void both_destroy(struct both *both);
#define _cleanup_both_ __attribute__((cleanup(both_destroy)))

/* @wants: which processes to compare; NULL: all.  Those that BPF did not see are counted wrong. */
struct both_result both_compare(const struct both *both, bool (*wants)(uint32_t tgid));

#endif
