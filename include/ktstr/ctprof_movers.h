/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * ctprof_movers.h - what threads did between two captures of one machine, as rows to sort.
 *
 * A thread of one capture is the thread of the other if tgid, tid and start time are equal; an id
 * that was given anew is another thread.  Counters become differences, peaks and gauges stay the
 * newer value.  A thread that is in the newer capture alone is new: if it was born after the older
 * one began, its counters since birth belong to the interval and count; if that is not known, they
 * are absent.  A thread that is in the older one alone is gone: what it did last nobody saw.
 * A counter that went back is absent.
 *
 * Rows borrow their names from both captures, which must outlive them.
 */
#ifndef KTSTR_CTPROF_MOVERS_H
#define KTSTR_CTPROF_MOVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ktstr/api.h>
#include <ktstr/ctprof.h>
#include <ktstr/error.h>

enum { KTSTR_CTPROF_MOVERS_METRICS = 32 };

/* What a row is. */
enum ktstr_ctprof_movers_by {
	KTSTR_CTPROF_MOVERS_BY_PROCESS, /* one process */
	KTSTR_CTPROF_MOVERS_BY_THREAD,	/* one thread */
	KTSTR_CTPROF_MOVERS_BY_NAME,	/* all processes of one name */
	KTSTR_CTPROF_MOVERS_BY_CGROUP	/* all threads in one cgroup, not those below it */
};

struct ktstr_ctprof_movers_opts {
	enum ktstr_ctprof_movers_by by;
	const unsigned int *metrics; /* enum ktstr_ctprof_metric: counters, peaks, gauges */
	size_t nr_metrics;	     /* 1 to KTSTR_CTPROF_MOVERS_METRICS */
	/* Start time from which on a thread was born within the interval; INT64_MAX: not known. */
	int64_t born_from_ticks;
};

struct ktstr_ctprof_mover_cell {
	int64_t value;	  /* sum of differences; of peaks and gauges the largest or the sum */
	uint32_t threads; /* how many threads it is made of; 0: absent */
	uint32_t reserved;
};

struct ktstr_ctprof_mover {
	uint32_t tgid;	       /* 0 by name and by cgroup */
	uint32_t tid;	       /* 0 but by thread */
	const char *name;      /* of the thread, the process or the cgroup; NULL: absent */
	uint32_t threads;      /* in the newer capture; 0: the row is gone */
	uint32_t threads_new;  /* of those, not in the older one */
	uint32_t threads_gone; /* in the older one only */
	uint32_t reserved;
	const struct ktstr_ctprof_mover_cell *cells; /* in the order of opts->metrics */
};

struct ktstr_ctprof_movers {
	const struct ktstr_ctprof_mover *rows; /* by tgid, tid; by name or path in byte order */
	size_t nr_rows;
	uint64_t threads, threads_new, threads_gone;
};

/**
 * ktstr_ctprof_movers_create() - the difference of two captures.
 * @older:	borrowed until the result is destroyed
 * @newer:	borrowed until the result is destroyed
 * @opts:	borrowed for the call
 * @ret_movers:	the caller's to destroy
 * @err:	filled on failure; may be NULL
 *
 * Return: 0, -EINVAL (no such metric or too many, or one that is neither counter, peak nor gauge),
 * -ENOMEM.
 */
KTSTR_API int ktstr_ctprof_movers_create(const struct ktstr_ctprof *older,
					 const struct ktstr_ctprof *newer,
					 const struct ktstr_ctprof_movers_opts *opts,
					 struct ktstr_ctprof_movers **ret_movers,
					 struct ktstr_error *err) KTSTR_MUST_CHECK;

/**
 * ktstr_ctprof_movers_destroy() - free a difference.
 * @movers:	may be NULL
 */
KTSTR_API void ktstr_ctprof_movers_destroy(struct ktstr_ctprof_movers *movers);

static inline void ktstr_ctprof_movers_destroyp(struct ktstr_ctprof_movers **movers)
{
	ktstr_ctprof_movers_destroy(*movers);
}
#define _cleanup_movers_ __attribute__((cleanup(ktstr_ctprof_movers_destroyp)))

#endif
