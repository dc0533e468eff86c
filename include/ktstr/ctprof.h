/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * ctprof.h - one record per live thread of a machine: what it has done since it was born.
 *
 * A capture reads /proc, the cgroup v2 tree and, for processes that use jemalloc, the allocation
 * counters inside them.  All counters are cumulative, so the difference of two captures is exactly
 * what happened between them.  Which values there are stands in metrics.def.
 *
 * Presence: every value is there or absent, and absent is never zero.  ktstr_ctprof_get() tells
 * the two apart; ktstr_ctprof_get_or_zero() is for callers who want the other contract.  A thread
 * that ends during the capture is left out; the leader of a living process is always there; a file
 * that cannot be read costs its own values only and is counted in the summary with the reason.
 *
 * A struct ktstr_ctprof is read-only once made, and may be read by many threads.  Threads are
 * sorted by tgid, then tid; cgroups by path.
 *
 * File format (.ctprof.zst): zstd around one JSON object {"type":"ktstr-ctprof","version":1,...}.
 * "texts", "metrics" and "jemalloc_tags" list names; each row of "threads" is [tgid, tid, tag,
 * TEXT..., VALUE...] in their order, null where absent; "cgroups" likewise is [path, VALUE...] in
 * the order of "cgroup_metrics".  Unknown names are ignored, missing ones are absent.  Bytes that
 * are not UTF-8 are written as \xNN, a backslash as two.
 *
 * jemalloc: counters are read from outside with process_vm_readv().  On x86-64 each thread is
 * stopped by ptrace while one register and two counters are read, so that an exec cannot change
 * what is behind the address; the kernel lets it go even if the capturing process is killed.
 * Where a thread's data lies is taken from the symbol *tsd_tls or from the library's TPOFF64
 * relocation.  The offsets in there come from DWARF, or from a table of known builds, or from a
 * helper process that loads the target's own library without any privilege (as nobody if the
 * capture runs as root) and sees the counters move; a static program is answered for by the
 * machine's own libjemalloc if their thread data is alike in size and initial bytes.
 * Reads of a known build must satisfy these rules of jemalloc's event counters, else there is no
 * number but the tag "implausible":
 *   last_event <= counter < next_event; next_event - last_event <= 4 MiB; next_event_fast is 0 or
 *   next_event; state is one of seven, and counters are zero in state "uninitialized".
 * A thread caught in the middle of an update breaks them for a moment, so it is read again, 8
 * times at most.  Source: src/thread_event.c of jemalloc 5.3.0.
 */
#ifndef KTSTR_CTPROF_H
#define KTSTR_CTPROF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <ktstr/api.h>
#include <ktstr/error.h>

enum ktstr_ctprof_metric {
#define KTSTR_METRIC(id, ...) KTSTR_CTPROF_##id,
#include <ktstr/metrics.def>
	KTSTR_CTPROF_NR_METRICS
};

enum ktstr_ctprof_text {
#define KTSTR_METRIC_TEXT(id, ...) KTSTR_CTPROF_TEXT_##id,
#include <ktstr/metrics.def>
	KTSTR_CTPROF_NR_TEXTS
};

enum ktstr_ctprof_cgroup_metric {
#define KTSTR_METRIC_CGROUP(id, ...) KTSTR_CTPROF_CGROUP_##id,
#include <ktstr/metrics.def>
	KTSTR_CTPROF_NR_CGROUP_METRICS
};

enum {
	KTSTR_CTPROF_VERSION = 1,
	KTSTR_CTPROF_PRESENT_WORDS = (KTSTR_CTPROF_NR_METRICS + 63) / 64,
	KTSTR_CTPROF_MAX_THREADS = 4 << 20,
	KTSTR_CTPROF_MAX_FILE_BYTES = 256 << 20, /* decompressed */
	KTSTR_CTPROF_MAX_DEPTH = 16		 /* nesting of a file's JSON */
};

enum ktstr_metric_type {
	KTSTR_TYPE_COUNTER,
	KTSTR_TYPE_PEAK,
	KTSTR_TYPE_GAUGE,
	KTSTR_TYPE_ORDINAL,
	KTSTR_TYPE_CATEGORY,
	KTSTR_TYPE_SET
};

enum ktstr_metric_aggregate {
	KTSTR_AGGREGATE_SUM,
	KTSTR_AGGREGATE_MAX,
	KTSTR_AGGREGATE_RANGE,
	KTSTR_AGGREGATE_MODE,
	KTSTR_AGGREGATE_KEY,
	KTSTR_AGGREGATE_SPREAD
};

/* A row of metrics.def; see there. */
struct ktstr_metric_info {
	const char *name;
	const char *unit;
	const char *source;
	const char *needs;
	const char *about;
	enum ktstr_metric_type type;
	enum ktstr_metric_aggregate aggregate;
};

/* Why a thread's jemalloc counters are absent. */
enum ktstr_jemalloc_tag {
	KTSTR_JEMALLOC_OK,	       /* they are there */
	KTSTR_JEMALLOC_NOT_ASKED,      /* switched off */
	KTSTR_JEMALLOC_SELF,	       /* the capturing process itself */
	KTSTR_JEMALLOC_KERNEL_THREAD,  /* no user memory */
	KTSTR_JEMALLOC_NOT_FOUND,      /* no jemalloc in the process */
	KTSTR_JEMALLOC_EXE_UNREADABLE, /* its executable or library cannot be opened */
	KTSTR_JEMALLOC_MAPS_UNREADABLE,
	KTSTR_JEMALLOC_ARCH_MISMATCH,  /* built for another architecture than the capture */
	KTSTR_JEMALLOC_NO_TLS_SYMBOL,  /* jemalloc is there, its thread data cannot be found */
	KTSTR_JEMALLOC_DYNAMIC_TLS,    /* thread data not at a fixed distance (dlopen'ed) */
	KTSTR_JEMALLOC_NO_OFFSETS,     /* thread data found, layout not proven */
	KTSTR_JEMALLOC_TLS_ARITHMETIC, /* addresses make no sense */
	KTSTR_JEMALLOC_PTRACE_REFUSED, /* no permission */
	KTSTR_JEMALLOC_PTRACE_BUSY,    /* another debugger is attached */
	KTSTR_JEMALLOC_STOP_TIMEOUT,   /* did not stop within 250 ms, e.g. waiting for a disk */
	KTSTR_JEMALLOC_READ_FAILED,    /* memory not readable */
	KTSTR_JEMALLOC_IMPLAUSIBLE,    /* what was read breaks the rules above */
	KTSTR_JEMALLOC_THREAD_GONE,    /* ended meanwhile */
	KTSTR_JEMALLOC_FOREIGN_PROC,   /* /proc counts processes in another pid namespace */
	KTSTR_JEMALLOC_NR_TAGS
};

struct ktstr_ctprof_thread {
	uint32_t tgid;
	uint32_t tid; /* equals tgid for the leader */
	enum ktstr_jemalloc_tag jemalloc;
	uint32_t reserved;
	const char *texts[KTSTR_CTPROF_NR_TEXTS]; /* NULL: absent */
	uint64_t present[KTSTR_CTPROF_PRESENT_WORDS];
	int64_t values[KTSTR_CTPROF_NR_METRICS];
};

struct ktstr_ctprof_cgroup {
	const char *path; /* as in the threads' "cgroup" */
	uint64_t present;
	int64_t values[KTSTR_CTPROF_NR_CGROUP_METRICS];
};

/* Files read per thread, as rows of the summary. */
enum ktstr_ctprof_file {
	KTSTR_CTPROF_FILE_STAT,
	KTSTR_CTPROF_FILE_STATUS,
	KTSTR_CTPROF_FILE_SCHEDSTAT,
	KTSTR_CTPROF_FILE_SCHED,
	KTSTR_CTPROF_FILE_IO,
	KTSTR_CTPROF_FILE_CGROUP,
	KTSTR_CTPROF_NR_FILES
};

/* Why a file gave nothing. */
enum ktstr_ctprof_reason {
	KTSTR_CTPROF_REASON_VANISHED,	/* the thread ended */
	KTSTR_CTPROF_REASON_PERMISSION, /* this user may not read it */
	KTSTR_CTPROF_REASON_UNPARSABLE, /* read, not understood (a negative time, for instance) */
	KTSTR_CTPROF_REASON_MISSING,	/* the kernel has no such file: an option is off */
	KTSTR_CTPROF_REASON_OTHER,
	KTSTR_CTPROF_NR_REASONS
};

/* Counts.  A thread that vanished as a whole is in ghosts, not in failures. */
struct ktstr_ctprof_summary {
	uint64_t processes;
	uint64_t threads_walked; /* seen in a task folder, ghosts included */
	uint64_t ghosts;	 /* gone before anything could be read */
	uint64_t failures[KTSTR_CTPROF_NR_FILES][KTSTR_CTPROF_NR_REASONS];
	uint64_t jemalloc_processes;			/* in which it was found */
	uint64_t jemalloc_tags[KTSTR_JEMALLOC_NR_TAGS]; /* threads by outcome */
	uint64_t stops;					/* threads stopped by ptrace */
	uint64_t stop_max_ns;				/* longest stop of a thread */
	uint64_t stop_total_ns;
};

struct ktstr_ctprof {
	uint64_t captured_at_unix_ns; /* when the walk began */
	uint64_t duration_ns;	      /* how long it took */
	const char *kernel;	      /* release, as uname -r; NULL: absent */
	const char *collector;	      /* "procfs" */
	const struct ktstr_ctprof_thread *threads;
	size_t nr_threads;
	const struct ktstr_ctprof_cgroup *cgroups;
	size_t nr_cgroups;
	struct ktstr_ctprof_summary summary;
};

/* Zero fields mean the default. */
struct ktstr_ctprof_opts {
	const char *proc;	 /* "/proc" */
	const char *cgroup;	 /* root of the cgroup v2 tree; NULL: found in mountinfo */
	pid_t pid;		 /* this process only; 0: all */
	const char *cgroup_glob; /* only threads whose "cgroup" matches; NULL: all */
	const char *comm_glob;	 /* only threads whose "comm" matches; NULL: all */
	bool no_jemalloc;	 /* touch no other process */
	bool no_calibration;	 /* start no helper process */
};

/**
 * ktstr_ctprof_capture() - record every live thread.
 * @opts:	borrowed; NULL: everything of this machine
 * @ret_snapshot: the caller's to destroy
 * @err:	filled on failure; may be NULL
 *
 * Nothing is left attached, stopped or open.  jemalloc is looked for only where @opts->proc is the
 * default, as a copy of /proc has no processes.
 *
 * Return: 0, -ENOENT (no such /proc), -ESRCH (no process @opts->pid), -EACCES, -ENOMEM, -E2BIG
 * (more than KTSTR_CTPROF_MAX_THREADS threads).
 */
KTSTR_API int ktstr_ctprof_capture(const struct ktstr_ctprof_opts *opts,
				   struct ktstr_ctprof **ret_snapshot,
				   struct ktstr_error *err) KTSTR_MUST_CHECK;

/**
 * ktstr_ctprof_destroy() - free a snapshot.
 * @snapshot:	may be NULL
 */
KTSTR_API void ktstr_ctprof_destroy(struct ktstr_ctprof *snapshot);

static inline void ktstr_ctprof_destroyp(struct ktstr_ctprof **snapshot)
{
	ktstr_ctprof_destroy(*snapshot);
}
#define _cleanup_ctprof_ __attribute__((cleanup(ktstr_ctprof_destroyp)))

/**
 * ktstr_ctprof_write() - save a snapshot.
 * @snapshot:	what to save
 * @path:	file, by custom *.ctprof.zst; whole or untouched afterwards
 * @err:	filled on failure; may be NULL
 *
 * Return: 0, -ENOMEM, -E2BIG (over KTSTR_CTPROF_MAX_FILE_BYTES), -errno of writing.
 */
KTSTR_API int ktstr_ctprof_write(const struct ktstr_ctprof *snapshot, const char *path,
				 struct ktstr_error *err) KTSTR_MUST_CHECK;

/**
 * ktstr_ctprof_load() - read a saved snapshot.
 * @path:	file written by ktstr_ctprof_write()
 * @ret_snapshot: the caller's to destroy
 * @err:	filled on failure; may be NULL
 *
 * Return: 0, -errno of reading, -EBADMSG (damaged, or no such file), -E2BIG (over
 * KTSTR_CTPROF_MAX_FILE_BYTES), -ELOOP (nested too deep), -EPROTONOSUPPORT (newer version).
 */
KTSTR_API int ktstr_ctprof_load(const char *path, struct ktstr_ctprof **ret_snapshot,
				struct ktstr_error *err) KTSTR_MUST_CHECK;

/**
 * ktstr_ctprof_get() - one value of a thread.
 * @thread:	a thread of a snapshot
 * @metric:	which value
 * @ret_value:	written only if it is there
 *
 * Return: true if it is there.
 */
static inline bool ktstr_ctprof_get(const struct ktstr_ctprof_thread *thread,
				    enum ktstr_ctprof_metric metric, int64_t *ret_value)
{
	if (!(thread->present[metric / 64] >> (metric % 64) & 1))
		return false;
	*ret_value = thread->values[metric];
	return true;
}

/**
 * ktstr_ctprof_get_or_zero() - one value of a thread, absent read as 0.
 * @thread:	a thread of a snapshot
 * @metric:	which value
 *
 * Return: the value, or 0 if it is absent.
 */
static inline int64_t ktstr_ctprof_get_or_zero(const struct ktstr_ctprof_thread *thread,
					       enum ktstr_ctprof_metric metric)
{
	int64_t value = 0;

	return ktstr_ctprof_get(thread, metric, &value) ? value : 0;
}

/**
 * ktstr_ctprof_cgroup_get() - one value of a cgroup.
 * @cgroup:	a cgroup of a snapshot
 * @metric:	which value
 * @ret_value:	written only if it is there
 *
 * Return: true if it is there.
 */
static inline bool ktstr_ctprof_cgroup_get(const struct ktstr_ctprof_cgroup *cgroup,
					   enum ktstr_ctprof_cgroup_metric metric,
					   int64_t *ret_value)
{
	if (!(cgroup->present >> metric & 1))
		return false;
	*ret_value = cgroup->values[metric];
	return true;
}

/**
 * ktstr_ctprof_find() - the record of one thread.
 * @snapshot:	where to look
 * @tgid:	process
 * @tid:	thread; equal to @tgid for the leader
 *
 * Return: borrowed from @snapshot; NULL if it is not there.
 */
KTSTR_API const struct ktstr_ctprof_thread *ktstr_ctprof_find(const struct ktstr_ctprof *snapshot,
							      uint32_t tgid, uint32_t tid);

/**
 * ktstr_ctprof_find_cgroup() - the record of one cgroup.
 * @snapshot:	where to look
 * @path:	as in a thread's "cgroup"
 *
 * Return: borrowed from @snapshot; NULL if it is not there.
 */
KTSTR_API const struct ktstr_ctprof_cgroup *ktstr_ctprof_find_cgroup(
	const struct ktstr_ctprof *snapshot, const char *path);

/**
 * ktstr_ctprof_metric_info() - the table row of a metric.
 * @metric:	which
 *
 * Return: static; NULL if there is no such metric.
 */
KTSTR_API const struct ktstr_metric_info *ktstr_ctprof_metric_info(unsigned int metric);

/**
 * ktstr_ctprof_text_info() - the table row of a text.
 * @text:	which
 *
 * Return: static; NULL if there is no such text.
 */
KTSTR_API const struct ktstr_metric_info *ktstr_ctprof_text_info(unsigned int text);

/**
 * ktstr_ctprof_cgroup_metric_info() - the table row of a cgroup's metric.
 * @metric:	which
 *
 * Return: static; NULL if there is no such metric.
 */
KTSTR_API const struct ktstr_metric_info *ktstr_ctprof_cgroup_metric_info(unsigned int metric);

/**
 * ktstr_metric_type_name() - the word for a type.
 * @type:	any
 *
 * Return: e.g. "counter".
 */
KTSTR_API const char *ktstr_metric_type_name(enum ktstr_metric_type type);

/**
 * ktstr_metric_aggregate_name() - the word for an aggregation rule.
 * @aggregate:	any
 *
 * Return: e.g. "sum".
 */
KTSTR_API const char *ktstr_metric_aggregate_name(enum ktstr_metric_aggregate aggregate);

/**
 * ktstr_ctprof_file_name() - the name of a file below /proc/PID/task/TID.
 * @file:	any
 *
 * Return: e.g. "schedstat".
 */
KTSTR_API const char *ktstr_ctprof_file_name(enum ktstr_ctprof_file file);

/**
 * ktstr_ctprof_reason_name() - the word for a reason.
 * @reason:	any
 *
 * Return: e.g. "permission".
 */
KTSTR_API const char *ktstr_ctprof_reason_name(enum ktstr_ctprof_reason reason);

/**
 * ktstr_jemalloc_tag_name() - the word for an outcome.
 * @tag:	any
 *
 * Return: e.g. "ptrace-refused"; "ok" for KTSTR_JEMALLOC_OK.
 */
KTSTR_API const char *ktstr_jemalloc_tag_name(enum ktstr_jemalloc_tag tag);

/**
 * ktstr_jemalloc_tag_is_failure() - would somebody have to mend something?
 * @tag:	any
 *
 * Return: false for OK and for processes and threads that have no counters by nature.
 */
KTSTR_API bool ktstr_jemalloc_tag_is_failure(enum ktstr_jemalloc_tag tag);

/**
 * ktstr_ctprof_remedy() - the most frequent cause of missing values, and what mends it.
 * @summary:	of a snapshot
 * @buf:	receives one line; "" if nothing failed
 * @size:	bytes in @buf; 256 holds every text
 *
 * Ties go to the first reason in the order of enum ktstr_ctprof_reason.
 *
 * Return: failures of that cause.
 */
KTSTR_API uint64_t ktstr_ctprof_remedy(const struct ktstr_ctprof_summary *summary, char *buf,
				       size_t size);

/**
 * ktstr_ctprof_jemalloc_remedy() - the same for jemalloc counters.
 * @summary:	of a snapshot
 * @buf:	receives one line; "" if nothing failed
 * @size:	bytes in @buf; 256 holds every text
 *
 * Return: failures of that cause.
 */
KTSTR_API uint64_t ktstr_ctprof_jemalloc_remedy(const struct ktstr_ctprof_summary *summary,
						char *buf, size_t size);

#endif
