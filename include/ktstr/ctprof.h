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
 * File format (.ctprof.zst): docs/format/ctprof.md.  A file holds one snapshot or a series of them,
 * each a zstd frame of its own, so that a capture that is killed loses the last one only.  Files of
 * older and of newer versions are read as far as they are understood; what was passed over is in
 * the snapshot's warnings.
 *
 * jemalloc: counters are read from outside with process_vm_readv().  The bpf collector knows each
 * thread's register (x86-64) and stops nobody: threads are read while they run, and a second, short
 * pass makes sure that each was still the same thread in the same program.  Only one that was not,
 * after an exec in between, is read again as with procfs: there each thread is stopped by ptrace
 * while one register and two counters are read, so that an exec cannot change what is behind the
 * address; the kernel lets it go even if the capturing process is killed.
 * Where a thread's data lies is taken from the symbol *tsd_tls or from the library's TPOFF64
 * relocation.  The offsets in there come from DWARF, or from a table of known builds, or from a
 * helper process that loads the target's own library without any privilege (as nobody if the
 * capture runs as root) and sees the counters move; a static program is answered for by the
 * machine's own libjemalloc if their thread data is alike in size and initial bytes.
 * Reads of the known build of 5.3.0 must satisfy these rules of jemalloc's event counters, else there
 * is no number but the tag "implausible":
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

/* Values of threads; those that only leaders have come last. */
enum ktstr_ctprof_metric {
#define KTSTR_METRIC(id, ...) KTSTR_CTPROF_##id,
#include <ktstr/metrics.def>
	KTSTR_CTPROF_NR_THREAD_METRICS, /* from here on: of leaders only */
	KTSTR_CTPROF_BEFORE_LEADER_METRICS = KTSTR_CTPROF_NR_THREAD_METRICS - 1,
#define KTSTR_METRIC_LEADER(id, ...) KTSTR_CTPROF_##id,
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

enum ktstr_ctprof_cgroup_text {
#define KTSTR_METRIC_CGROUP_TEXT(id, ...) KTSTR_CTPROF_CGROUP_TEXT_##id,
#include <ktstr/metrics.def>
	KTSTR_CTPROF_NR_CGROUP_TEXTS
};

enum ktstr_ctprof_host_metric {
#define KTSTR_METRIC_HOST(id, ...) KTSTR_CTPROF_HOST_##id,
#include <ktstr/metrics.def>
	KTSTR_CTPROF_NR_HOST_METRICS
};

enum ktstr_ctprof_host_text {
#define KTSTR_METRIC_HOST_TEXT(id, ...) KTSTR_CTPROF_HOST_TEXT_##id,
#include <ktstr/metrics.def>
	KTSTR_CTPROF_NR_HOST_TEXTS
};

enum {
	KTSTR_CTPROF_VERSION = 2,
	KTSTR_CTPROF_NR_LEADER_METRICS = KTSTR_CTPROF_NR_METRICS - KTSTR_CTPROF_NR_THREAD_METRICS,
	KTSTR_CTPROF_PRESENT_WORDS = (KTSTR_CTPROF_NR_THREAD_METRICS + 63) / 64,
	KTSTR_CTPROF_CGROUP_PRESENT_WORDS = (KTSTR_CTPROF_NR_CGROUP_METRICS + 63) / 64,
	KTSTR_CTPROF_HOST_PRESENT_WORDS = (KTSTR_CTPROF_NR_HOST_METRICS + 63) / 64,
	KTSTR_CTPROF_MAX_THREADS = 4 << 20,
	KTSTR_CTPROF_MAX_FILE_BYTES = 256 << 20,    /* of a snapshot, decompressed */
	KTSTR_CTPROF_MAX_SERIES_BYTES = 1024 << 20, /* of all snapshots of a file, decompressed */
	KTSTR_CTPROF_MAX_SNAPSHOTS = 65536,	    /* in a file */
	KTSTR_CTPROF_MAX_WARNINGS = 64,
	KTSTR_CTPROF_BPF_FROM_THREADS = 256, /* for fewer, procfs is done before BPF is loaded */
	KTSTR_CTPROF_LIBBPF_FROM_THREADS = 4096, /* the same where libbpf loads it: before 5.17 */
	KTSTR_CTPROF_MAX_DEPTH = 16		 /* nesting of a file's JSON */
};

/* Value of a limit that is not set ("max" in the kernel's files). */
#define KTSTR_CTPROF_UNLIMITED INT64_MAX

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
	KTSTR_AGGREGATE_SPREAD,
	KTSTR_AGGREGATE_MIN
};

/* What a capture reads threads with. */
enum ktstr_ctprof_collector {
	/* bpf where it works and pays: from KTSTR_CTPROF_BPF_FROM_THREADS threads on (on Linux 5.15
	 * and 5.16 from KTSTR_CTPROF_LIBBPF_FROM_THREADS on); else procfs */
	KTSTR_COLLECTOR_AUTO,
	KTSTR_COLLECTOR_BPF,
	KTSTR_COLLECTOR_PROCFS,
	KTSTR_CTPROF_NR_COLLECTORS
};

/* Where a value of a thread came from, as a bit of filled_by: 1 << KTSTR_FILLER_BPF. */
enum ktstr_ctprof_filler {
	KTSTR_FILLER_PROCFS,
	KTSTR_FILLER_BPF,
	KTSTR_FILLER_TASKSTATS, /* netlink */
	KTSTR_FILLER_PTRACE,	/* memory of a thread that was stopped */
	KTSTR_FILLER_VM,	/* memory of a thread that ran on */
	KTSTR_CTPROF_NR_FILLERS
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
	KTSTR_JEMALLOC_STOP_TIMEOUT, /* did not stop within 250 ms (2 s if all it lacked was a CPU) */
	KTSTR_JEMALLOC_READ_FAILED,  /* memory not readable */
	KTSTR_JEMALLOC_IMPLAUSIBLE,  /* what was read breaks the rules above */
	KTSTR_JEMALLOC_THREAD_GONE,  /* ended meanwhile */
	KTSTR_JEMALLOC_FOREIGN_PROC, /* /proc counts processes in another pid namespace */
	KTSTR_JEMALLOC_NR_TAGS
};

/* What only the leader of a process has. */
struct ktstr_ctprof_leader {
	uint64_t present;
	int64_t values[KTSTR_CTPROF_NR_LEADER_METRICS]; /* from KTSTR_CTPROF_NR_THREAD_METRICS on */
};

struct ktstr_ctprof_thread {
	uint32_t tgid;
	uint32_t tid; /* equals tgid for the leader */
	enum ktstr_jemalloc_tag jemalloc;
	uint32_t reserved;
	const struct ktstr_ctprof_leader *leader; /* NULL: none of these values is there */
	const char *texts[KTSTR_CTPROF_NR_TEXTS]; /* NULL: absent */
	uint64_t present[KTSTR_CTPROF_PRESENT_WORDS];
	int64_t values[KTSTR_CTPROF_NR_THREAD_METRICS];
};

struct ktstr_ctprof_cgroup {
	const char *path;				 /* as in the threads' "cgroup" */
	const char *texts[KTSTR_CTPROF_NR_CGROUP_TEXTS]; /* NULL: absent */
	uint64_t present[KTSTR_CTPROF_CGROUP_PRESENT_WORDS];
	int64_t values[KTSTR_CTPROF_NR_CGROUP_METRICS];
};

struct ktstr_ctprof_host {
	const char *texts[KTSTR_CTPROF_NR_HOST_TEXTS]; /* NULL: absent */
	uint64_t present[KTSTR_CTPROF_HOST_PRESENT_WORDS];
	int64_t values[KTSTR_CTPROF_NR_HOST_METRICS];
};

/* Files and other sources read per thread, as rows of the summary. */
enum ktstr_ctprof_file {
	KTSTR_CTPROF_FILE_STAT,
	KTSTR_CTPROF_FILE_STATUS,
	KTSTR_CTPROF_FILE_SCHEDSTAT,
	KTSTR_CTPROF_FILE_SCHED,
	KTSTR_CTPROF_FILE_IO,
	KTSTR_CTPROF_FILE_CGROUP,
	KTSTR_CTPROF_FILE_SMAPS_ROLLUP, /* of leaders */
	KTSTR_CTPROF_FILE_TASKSTATS,	/* netlink, no file */
	KTSTR_CTPROF_NR_FILES
};

/* Why a file gave nothing. */
enum ktstr_ctprof_reason {
	KTSTR_CTPROF_REASON_VANISHED,	/* the thread ended */
	KTSTR_CTPROF_REASON_PERMISSION, /* this user may not read it */
	KTSTR_CTPROF_REASON_UNPARSABLE, /* read, not understood (a negative time, for instance) */
	KTSTR_CTPROF_REASON_MISSING,	/* the kernel has no such file: an option is off */
	KTSTR_CTPROF_REASON_OTHER,
	KTSTR_CTPROF_REASON_SWITCHED_OFF, /* a sysctl is off: kernel.task_delayacct for taskstats */
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
	uint64_t hidden; /* 1: /proc hides processes of others (hidepid), which are not recorded */
};

struct ktstr_ctprof {
	uint64_t captured_at_unix_ns; /* when the walk began */
	uint64_t duration_ns;	      /* how long it took */
	const char *kernel;	      /* release, as uname -r; NULL: absent */
	const char *collector;	      /* "procfs", "bpf" */
	struct ktstr_ctprof_host host;
	/* Bits of enum ktstr_ctprof_filler: what gave any thread this value; 0: nothing did. */
	uint8_t filled_by[KTSTR_CTPROF_NR_METRICS];
	uint8_t text_filled_by[KTSTR_CTPROF_NR_TEXTS];
	const struct ktstr_ctprof_thread *threads;
	size_t nr_threads;
	const struct ktstr_ctprof_cgroup *cgroups;
	size_t nr_cgroups;
	struct ktstr_ctprof_summary summary;
	const char *const *warnings; /* what of its file was passed over, a sentence each */
	size_t nr_warnings;
};

/* Several snapshots of one file, in its order. */
struct ktstr_ctprof_series {
	struct ktstr_ctprof *const *snapshots;
	size_t nr;
	bool cut_short; /* the file ends in the middle of a snapshot, which is left out */
};

/* Zero fields mean the default. */
struct ktstr_ctprof_opts {
	const char *proc;	 /* "/proc" */
	const char *cgroup;	 /* root of the cgroup v2 tree; NULL: found in mountinfo */
	const char *sys;	 /* "/sys"; not read if @proc is another one and this is NULL */
	pid_t pid;		 /* this process only; 0: all */
	const char *cgroup_glob; /* only threads whose "cgroup" matches, fnmatch(3); NULL: all */
	const char *comm_glob;	 /* only threads whose "comm" or "pcomm" matches; NULL: all */
	bool no_jemalloc;	 /* touch no other process */
	bool no_calibration;	 /* start no helper process */
	bool no_smaps;		 /* leave smaps_rollup out, which costs a walk of page tables */
	enum ktstr_ctprof_collector collector;
	unsigned int jobs; /* threads that read /proc; 0: a share of the idle CPUs */
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
 * ktstr_ctprof_append() - add a snapshot to a series.
 * @snapshot:	what to save
 * @path:	file, made if it is not there; its snapshots stay
 * @err:	filled on failure; may be NULL
 *
 * A snapshot at the end of the file that is not whole, as an earlier capture was killed, is cut
 * off first.  On failure the file is as it was but for that.  Two processes that append to one
 * file wait for each other.
 *
 * Return: 0, -ENOMEM, -E2BIG (over KTSTR_CTPROF_MAX_FILE_BYTES), -EBADMSG (the file is something
 * else), -errno of writing.
 */
KTSTR_API int ktstr_ctprof_append(const struct ktstr_ctprof *snapshot, const char *path,
				  struct ktstr_error *err) KTSTR_MUST_CHECK;

/**
 * ktstr_ctprof_load() - read a saved snapshot; of a series the last whole one.
 * @path:	file written by ktstr_ctprof_write() or ktstr_ctprof_append()
 * @ret_snapshot: the caller's to destroy
 * @err:	filled on failure; may be NULL
 *
 * Return: 0, -errno of reading, -EBADMSG (damaged, nested too deep, or no such file), -E2BIG (over
 * KTSTR_CTPROF_MAX_FILE_BYTES).
 */
KTSTR_API int ktstr_ctprof_load(const char *path, struct ktstr_ctprof **ret_snapshot,
				struct ktstr_error *err) KTSTR_MUST_CHECK;

/**
 * ktstr_ctprof_series_load() - read all snapshots of a file.
 * @path:	file written by ktstr_ctprof_write() or ktstr_ctprof_append()
 * @ret_series:	the caller's to destroy; at least one snapshot
 * @err:	filled on failure; may be NULL
 *
 * Return: as ktstr_ctprof_load(); -E2BIG also for KTSTR_CTPROF_MAX_SERIES_BYTES and
 * KTSTR_CTPROF_MAX_SNAPSHOTS.
 */
KTSTR_API int ktstr_ctprof_series_load(const char *path, struct ktstr_ctprof_series **ret_series,
				       struct ktstr_error *err) KTSTR_MUST_CHECK;

/**
 * ktstr_ctprof_series_destroy() - free a series and its snapshots.
 * @series:	may be NULL
 */
KTSTR_API void ktstr_ctprof_series_destroy(struct ktstr_ctprof_series *series);

static inline void ktstr_ctprof_series_destroyp(struct ktstr_ctprof_series **series)
{
	ktstr_ctprof_series_destroy(*series);
}
#define _cleanup_ctprof_series_ __attribute__((cleanup(ktstr_ctprof_series_destroyp)))

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
	const uint64_t *present = thread->present;
	const int64_t *values = thread->values;
	unsigned int i = metric;

	if (i >= KTSTR_CTPROF_NR_THREAD_METRICS) {
		if (!thread->leader)
			return false;
		present = &thread->leader->present;
		values = thread->leader->values;
		i -= KTSTR_CTPROF_NR_THREAD_METRICS;
	}
	if (!(present[i / 64] >> (i % 64) & 1))
		return false;
	*ret_value = values[i];
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
	if (!(cgroup->present[metric / 64] >> (metric % 64) & 1))
		return false;
	*ret_value = cgroup->values[metric];
	return true;
}

/**
 * ktstr_ctprof_host_get() - one value of the machine.
 * @host:	of a snapshot
 * @metric:	which value
 * @ret_value:	written only if it is there
 *
 * Return: true if it is there.
 */
static inline bool ktstr_ctprof_host_get(const struct ktstr_ctprof_host *host,
					 enum ktstr_ctprof_host_metric metric, int64_t *ret_value)
{
	if (!(host->present[metric / 64] >> (metric % 64) & 1))
		return false;
	*ret_value = host->values[metric];
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
 * ktstr_ctprof_cgroup_text_info() - the table row of a cgroup's text.
 * @text:	which
 *
 * Return: static; NULL if there is no such text.
 */
KTSTR_API const struct ktstr_metric_info *ktstr_ctprof_cgroup_text_info(unsigned int text);

/**
 * ktstr_ctprof_host_metric_info() - the table row of a value of the machine.
 * @metric:	which
 *
 * Return: static; NULL if there is no such metric.
 */
KTSTR_API const struct ktstr_metric_info *ktstr_ctprof_host_metric_info(unsigned int metric);

/**
 * ktstr_ctprof_host_text_info() - the table row of a text of the machine.
 * @text:	which
 *
 * Return: static; NULL if there is no such text.
 */
KTSTR_API const struct ktstr_metric_info *ktstr_ctprof_host_text_info(unsigned int text);

/**
 * ktstr_ctprof_collector_name() - the word for a collector.
 * @collector:	any
 *
 * Return: "auto", "bpf" or "procfs".
 */
KTSTR_API const char *ktstr_ctprof_collector_name(enum ktstr_ctprof_collector collector);

/**
 * ktstr_ctprof_filler_name() - the word for where a value came from.
 * @filler:	any
 *
 * Return: e.g. "taskstats".
 */
KTSTR_API const char *ktstr_ctprof_filler_name(enum ktstr_ctprof_filler filler);

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
 * ktstr_ctprof_file_name() - the name of a file below /proc/PID/task/TID, or of another source.
 * @file:	any
 *
 * Return: e.g. "schedstat"; "taskstats" is no file.
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
