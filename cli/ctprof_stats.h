/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* ctprof_stats.h - what a capture cost, and why values are missing, as lines on stderr. */
#ifndef KTSTR_CLI_CTPROF_STATS_H
#define KTSTR_CLI_CTPROF_STATS_H

#include <ktstr/ctprof.h>

/* Threads, time per thread, and how long threads were stopped. */
void ctprof_print_cost(const struct ktstr_ctprof *s);
/* Which source filled which values, which nothing filled, and every reason with its count. */
void ctprof_print_sources(const struct ktstr_ctprof *s);
/* The most frequent reasons, with what mends them; nothing if all is there. */
void ctprof_print_remedies(const struct ktstr_ctprof *s);

#endif
