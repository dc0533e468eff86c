/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * ctprof_compare.h - what changed between two snapshots, or what stands in one, as data.
 *
 * A comparison has blocks, one per way to group: the whole machine first, then cgroups, processes
 * or threads.  A block has columns (metrics) and groups (rows); each group has one cell per column
 * of its block.  Nothing here judges; ktstr_ctprof_condition_check() does if asked.
 *
 * A side is a moment (a snapshot: counters since each thread's birth) or a window (a snapshot and
 * an earlier one of the same boot: counters of what happened in between, per second).
 *
 * Two moments of one boot ("one_boot") are joined thread by thread (tgid, tid, start time), so that
 * what happened in between is known exactly, whoever was born meanwhile: it stands in "between",
 * and is the delta of counters.  Threads that ended took their counters with them: such a sum is a
 * lower bound (AT_LEAST).  A counter of one and the same thread that went back (an exec, a reset)
 * is impossible as a delta: that thread is left out of the sum and counted in "went_back".
 * Two windows, and moments of different boots, are compared by their sums: delta = after - before.
 *
 * Presence: every value says how many members had it, of how many.  A sum is over those who had
 * it; none: absent, never zero.  A delta needs both sides.
 *
 * Names become patterns so that workers of one kind fall together (names.h says how); a pattern
 * that only one name matches is that name.
 *
 * A comparison is read-only once made, but for sorting.  It borrows its snapshots.
 */
#ifndef KTSTR_CTPROF_COMPARE_H
#define KTSTR_CTPROF_COMPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ktstr/api.h>
#include <ktstr/ctprof.h>
#include <ktstr/error.h>

enum ktstr_ctprof_derived {
#define KTSTR_DERIVED(id, ...) KTSTR_CTPROF_DERIVED_##id,
#include <ktstr/derived.def>
	KTSTR_CTPROF_NR_DERIVED
};

enum {
	KTSTR_CTPROF_MAX_CELLS = 8 << 20,
	KTSTR_CTPROF_MAX_GLOBS = 64,
	KTSTR_CTPROF_MAX_SORT_KEYS = 8
};

/* How threads are put together. */
enum ktstr_ctprof_group_by {
	KTSTR_CTPROF_BY_ALL,	 /* cgroup, process and thread in turn */
	KTSTR_CTPROF_BY_CGROUP,	 /* path, as a pattern */
	KTSTR_CTPROF_BY_PROCESS, /* name of the process, as a pattern */
	KTSTR_CTPROF_BY_THREAD,	 /* name of the thread, as a pattern */
	KTSTR_CTPROF_BY_NAME,	 /* name of the thread as it is */
	KTSTR_CTPROF_BY_TASK,	 /* each thread by itself */
	KTSTR_CTPROF_BY_MACHINE, /* all in one */
	KTSTR_CTPROF_NR_GROUP_BYS
};

/* Columns of a kind, to be chosen together. */
enum ktstr_ctprof_section {
	KTSTR_CTPROF_SECTION_PRIMARY, /* what /proc tells of a thread */
	KTSTR_CTPROF_SECTION_DELAYS,  /* delay accounting */
	KTSTR_CTPROF_SECTION_DERIVED,
	KTSTR_CTPROF_SECTION_SMAPS,
	KTSTR_CTPROF_SECTION_CGROUP_STATS, /* of a cgroup: what it used */
	KTSTR_CTPROF_SECTION_CGROUP_LIMITS,
	KTSTR_CTPROF_SECTION_MEMORY_STAT,
	KTSTR_CTPROF_SECTION_MEMORY_EVENTS,
	KTSTR_CTPROF_SECTION_PRESSURE,	    /* of a cgroup */
	KTSTR_CTPROF_SECTION_HOST_PRESSURE, /* of the machine */
	KTSTR_CTPROF_SECTION_SCHED_EXT,
	KTSTR_CTPROF_SECTION_HOST, /* the machine and its tunables */
	KTSTR_CTPROF_NR_SECTIONS
};

/* Which table a column's row stands in. */
enum ktstr_ctprof_kind {
	KTSTR_CTPROF_KIND_THREAD,  /* enum ktstr_ctprof_metric */
	KTSTR_CTPROF_KIND_TEXT,	   /* enum ktstr_ctprof_text */
	KTSTR_CTPROF_KIND_DERIVED, /* enum ktstr_ctprof_derived */
	KTSTR_CTPROF_KIND_CGROUP,  /* enum ktstr_ctprof_cgroup_metric */
	KTSTR_CTPROF_KIND_CGROUP_TEXT,
	KTSTR_CTPROF_KIND_HOST, /* enum ktstr_ctprof_host_metric; of the machine's group */
	KTSTR_CTPROF_KIND_HOST_TEXT
};

/* One value of one side of a group. */
struct ktstr_ctprof_value {
	bool there;    /* false: absent, and the numbers below mean nothing */
	bool mixed;    /* members of a category or a set differ */
	uint32_t have; /* members that had it ... */
	uint32_t of;   /* ... of so many that could */
	int64_t low;   /* sum, maximum, most frequent; smallest of a range; fewest CPUs of a set */
	int64_t high;  /* the same, but: largest of a range; most CPUs of a set */
	double number; /* what deltas and orders go by: low; middle of a range; a derived value */
	const char *text; /* what all members agree on, such as the set "0-3,8"; else NULL */
};

/* What a delta is worth. */
enum ktstr_ctprof_mark {
	KTSTR_CTPROF_MARK_NONE,
	KTSTR_CTPROF_MARK_AT_LEAST,   /* threads ended: what they did meanwhile is not in it */
	KTSTR_CTPROF_MARK_IMPOSSIBLE, /* a counter went back: restarted, or reset */
	KTSTR_CTPROF_NR_MARKS
};

/* One metric of one group. */
struct ktstr_ctprof_cell {
	struct ktstr_ctprof_value sides[2]; /* before, after; of one snapshot: the first only */
	struct ktstr_ctprof_value
		between; /* one_boot: what happened: counters, and what derives from them */
	bool has_delta, has_percent, differs; /* differs: a category, set or text changed */
	enum ktstr_ctprof_mark mark;
	uint32_t went_back; /* threads left out for it */
	double delta;	    /* in the column's unit, per second if the comparison is */
	double percent;	    /* of the first side; absent if that is zero, and for ratios */
	double share;	    /* 0 to 1: this group's part of all change of the metric in its block */
	double weight;	    /* 0 to 1: share, less where the change is tiny; orders cells */
};

struct ktstr_ctprof_column {
	enum ktstr_ctprof_kind kind;
	unsigned int index; /* in the table of that kind */
	enum ktstr_ctprof_section section;
	const struct ktstr_metric_info *info; /* unit "ratio": a fraction, shown in percent */
};

struct ktstr_ctprof_group {
	const char *label;	  /* any bytes; a pattern has {N}, {H} or {I} in it */
	const char *label_before; /* what a paired group was called before; else NULL */
	double similarity;	  /* of the two that were paired, 0 to 1; 0: not paired */
	uint32_t choices;	  /* paired: how many were as good; more than 1: it is a guess */
	uint32_t tgid, tid;	  /* BY_TASK; else 0 */
	uint32_t threads[2];
	uint32_t born, ended; /* one_boot: threads between the two moments */
	bool on[2];	      /* there are threads on this side */
	double weight;	      /* orders groups: how much of what changed is theirs */
	const struct ktstr_ctprof_cell *cells; /* one per column of the block */
};

struct ktstr_ctprof_block {
	enum ktstr_ctprof_group_by by; /* never BY_ALL */
	const struct ktstr_ctprof_column *columns;
	size_t nr_columns;
	struct ktstr_ctprof_group *groups; /* sorted */
	size_t nr_groups;
	bool unpaired; /* there are too many cgroups on one side only to pair them */
};

/* What is compared. */
struct ktstr_ctprof_side {
	const struct ktstr_ctprof *snapshot;
	const struct ktstr_ctprof *since; /* earlier snapshot of the same boot; NULL: a moment */
	const char *name;		  /* for people; may be NULL */
};

struct ktstr_ctprof_comparison {
	struct ktstr_ctprof_side sides[2];
	unsigned int nr_sides; /* 1: a snapshot alone */
	bool one_boot;	       /* two moments of one boot */
	bool guessed;	       /* one_boot was decided by threads, as a file lacks the boot's id */
	bool per_second;
	double seconds[2]; /* length of each window; of one_boot: [1] is what lies between */
	uint32_t born, ended;
	struct ktstr_ctprof_block *blocks; /* the first is BY_MACHINE with one group */
	size_t nr_blocks;
};

enum ktstr_ctprof_boots {
	KTSTR_CTPROF_BOOTS_AUTO, /* by the boot's id; where that lacks, by threads in common */
	KTSTR_CTPROF_BOOTS_SAME,
	KTSTR_CTPROF_BOOTS_OTHER
};

/* Zero fields mean the default.  Lists are borrowed for the call. */
struct ktstr_ctprof_compare_opts {
	enum ktstr_ctprof_group_by group_by;
	enum ktstr_ctprof_boots boots;
	bool no_thread_patterns;
	bool no_cgroup_patterns;
	bool no_pairing;
	bool per_second; /* divide what happened between two moments; windows always are */
	const char *const *flatten; /* globs: each cgroup that matches becomes the glob itself */
	size_t nr_flatten;	    /* at most KTSTR_CTPROF_MAX_GLOBS */
	const char *metrics;	    /* "run_time_ns,avg_wait_ns": only these; NULL: all */
	uint32_t sections;	    /* bit 1 << section: only these; 0: all */
	const char *sort;	    /* as ktstr_ctprof_comparison_sort() */
};

/**
 * ktstr_ctprof_compare() - two sides against each other.
 * @before:	earlier or first side
 * @after:	later or second side; NULL: show @before alone
 * @opts:	NULL: the default
 * @ret_comparison: the caller's to destroy; borrows both snapshots and their names
 * @err:	filled on failure; may be NULL
 *
 * Metrics named in @opts->sort are there even if @opts->metrics or sections leave them out.
 *
 * Return: 0, -EINVAL (unknown metric or sort key, a moment against a window, a window whose
 * moments are of different boots or in the wrong order, per second of moments of different boots),
 * -E2BIG (more than KTSTR_CTPROF_MAX_CELLS cells: choose fewer metrics), -ENOMEM.
 */
KTSTR_API int ktstr_ctprof_compare(const struct ktstr_ctprof_side *before,
				   const struct ktstr_ctprof_side *after,
				   const struct ktstr_ctprof_compare_opts *opts,
				   struct ktstr_ctprof_comparison **ret_comparison,
				   struct ktstr_error *err) KTSTR_MUST_CHECK;

/**
 * ktstr_ctprof_comparison_destroy() - free a comparison.
 * @comparison:	may be NULL
 */
KTSTR_API void ktstr_ctprof_comparison_destroy(struct ktstr_ctprof_comparison *comparison);

static inline void ktstr_ctprof_comparison_destroyp(struct ktstr_ctprof_comparison **comparison)
{
	ktstr_ctprof_comparison_destroy(*comparison);
}
#define _cleanup_ctprof_comparison_ __attribute__((cleanup(ktstr_ctprof_comparison_destroyp)))

/**
 * ktstr_ctprof_comparison_sort() - order the groups of every block.
 * @comparison:	whose groups are moved; cells keep their place in them
 * @keys:	"METRIC[:asc|desc],...": what the cells' main number says (of two sides the delta, of
 *		one the value), largest first unless ":asc"; also "group" (the label, a to z),
 *		"threads" and "weight"; NULL: by weight of two sides, by CPU time of one
 * @err:	filled on failure; may be NULL
 *
 * Groups that lack a value come last in either order; ties go by label.  A block without the
 * metric is ordered by the keys that are left.
 *
 * Return: 0, -EINVAL (empty, unknown or repeated key, a text, more than
 * KTSTR_CTPROF_MAX_SORT_KEYS); nothing is moved then.
 */
KTSTR_API int ktstr_ctprof_comparison_sort(struct ktstr_ctprof_comparison *comparison,
					   const char *keys,
					   struct ktstr_error *err) KTSTR_MUST_CHECK;

/**
 * ktstr_ctprof_column_find() - a column of a block by its metric's name.
 * @block:	where to look
 * @name:	in full, "wait_sum_ns", or without its unit, "wait_sum"
 *
 * Return: index of the column and of each group's cell; -1 if the block has none.
 */
KTSTR_API int ktstr_ctprof_column_find(const struct ktstr_ctprof_block *block, const char *name);

/**
 * ktstr_ctprof_cell_main() - the value of a cell that a table of one number shows.
 * @comparison:	the cell's
 * @cell:	any
 *
 * Return: of one side, its value; of one_boot, what happened in between where the metric has that;
 * else the later side.
 */
KTSTR_API const struct ktstr_ctprof_value *ktstr_ctprof_cell_main(
	const struct ktstr_ctprof_comparison *comparison, const struct ktstr_ctprof_cell *cell);

/**
 * ktstr_ctprof_derived_info() - the table row of a derived value.
 * @derived:	which
 *
 * Return: static; NULL if there is no such value.
 */
KTSTR_API const struct ktstr_metric_info *ktstr_ctprof_derived_info(unsigned int derived);

/**
 * ktstr_ctprof_derived_get() - one derived value of a thread.
 * @thread:	a thread of a snapshot
 * @derived:	which
 * @ret_value:	written only if it is there
 *
 * Return: true if every input is there and it can be computed.
 */
KTSTR_API bool ktstr_ctprof_derived_get(const struct ktstr_ctprof_thread *thread,
					enum ktstr_ctprof_derived derived, double *ret_value);

/**
 * ktstr_ctprof_group_by_name() - the word for a way to group.
 * @by:		any
 *
 * Return: "all", "cgroup", "process", "thread", "name", "task" or "machine".
 */
KTSTR_API const char *ktstr_ctprof_group_by_name(enum ktstr_ctprof_group_by by);

/**
 * ktstr_ctprof_section_name() - the word for a section.
 * @section:	any
 *
 * Return: e.g. "primary", "cgroup-stats"; NULL behind the last.
 */
KTSTR_API const char *ktstr_ctprof_section_name(unsigned int section);

enum { KTSTR_CTPROF_NUMBER_BYTES = 32 };

/**
 * ktstr_ctprof_format_number() - a number as people read it.
 * @unit:	of a column: "ns", "us", "ticks", "bytes", "ratio" or ""
 * @number:	in that unit
 * @with_sign:	lead positive ones with "+"
 * @buf:	receives "1.25s", "16.0MiB", "12.3K", "83.1%"
 *
 * Ticks are hundredths of a second.  At most 8 characters up to 10^18.
 *
 * Return: @buf.
 */
KTSTR_API const char *ktstr_ctprof_format_number(const char *unit, double number, bool with_sign,
						 char buf[KTSTR_CTPROF_NUMBER_BYTES]);

/**
 * ktstr_ctprof_format_value() - a value as people read it.
 * @column:	its column
 * @value:	any
 * @buf:	receives one line; "-" if absent, "0-3 (mixed)", "[-5,19]"; cut at @size
 * @size:	bytes in @buf
 *
 * Return: @buf.
 */
KTSTR_API const char *ktstr_ctprof_format_value(const struct ktstr_ctprof_column *column,
						const struct ktstr_ctprof_value *value, char *buf,
						size_t size);

#endif
