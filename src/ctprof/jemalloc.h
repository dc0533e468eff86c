/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * jemalloc.h - the allocation counters of other processes' threads.
 *
 * Life cycle: jemalloc_create() once per capture; jemalloc_attach() once per process, which only
 * reads files and memory; then jemalloc_read() once per thread, which stops it to learn its thread
 * pointer, or jemalloc_read_running() where those are known.  All calls come from one thread, as it is the tracer: when that thread ends, the kernel
 * lets go whatever it still traces.
 */
#ifndef KTSTR_CTPROF_JEMALLOC_H
#define KTSTR_CTPROF_JEMALLOC_H

#include <ktstr/ctprof.h>

struct jemalloc;

/* Distances inside the thread data (tsd_s). */
struct jemalloc_layout {
	uint32_t allocated;
	uint32_t deallocated;
	/* Nonzero size: a known build, whose reads are checked by the rules in ctprof.h. */
	uint32_t checked_size;
};

/* One process; plain data. */
struct jemalloc_process {
	enum ktstr_jemalloc_tag tag; /* KTSTR_JEMALLOC_OK: threads may be read */
	uint32_t tgid;
	uint32_t tid;	    /* the thread by whose number its files and memory are reached */
	int64_t tsd_offset; /* from the thread pointer to the thread data, negative on x86-64 */
	struct jemalloc_layout layout;
	uint64_t executable_device, executable_inode;
	bool debugged; /* another tracer holds on to it */
};

struct jemalloc_counters {
	uint64_t allocated, deallocated;
};

/* NULL: no memory. */
struct jemalloc *jemalloc_create(bool no_calibration, struct ktstr_ctprof_summary *summary);
void jemalloc_destroy(struct jemalloc *je);

static inline void jemalloc_destroyp(struct jemalloc **je)
{
	jemalloc_destroy(*je);
}

/*
 * @tid: a thread of it that lives, best the leader.  KTSTR_JEMALLOC_THREAD_GONE says that this one has
 * no memory any more; others may.
 */
void jemalloc_attach(struct jemalloc *je, uint32_t tgid, uint32_t tid,
		     struct jemalloc_process *ret_process);
/* @ret_counters is written for KTSTR_JEMALLOC_OK only. */
enum ktstr_jemalloc_tag jemalloc_read(struct jemalloc *je, struct jemalloc_process *process,
				      uint32_t tid, struct jemalloc_counters *ret_counters);

/* One thread read while it runs. */
struct jemalloc_running {
	uint64_t thread_pointer;
	enum ktstr_jemalloc_tag tag;
	struct jemalloc_counters counters; /* for KTSTR_JEMALLOC_OK only */
};

/*
 * Reads many threads of a process, some dozens a system call, and stops none.  The caller makes sure
 * afterwards that they, and @pid's, were still the same (NOTE_SAME): numbers are given again.
 *
 * A number is believed if two reads of one call are equal, else if three never go back: what a copy
 * caught half written is above or below its neighbours.  Reads of a known build must satisfy the rules in ctprof.h too.
 * What breaks them is read again, after pauses of at most 7 ms together, as a thread in the middle
 * of an update may have lost its CPU.
 *
 * @pid: of a thread that has memory; if it ends meanwhile, threads are KTSTR_JEMALLOC_THREAD_GONE
 * that may live.
 */
void jemalloc_read_running(const struct jemalloc_process *process, uint32_t pid,
			   struct jemalloc_running *threads, size_t nr);

#endif
