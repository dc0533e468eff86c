/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * judge_private.h - what the files of checks share: the demand at hand, its subjects, its findings.
 *
 * A check goes through the subjects of its demand and says of each one of
 *	judge_weigh()		the value against the bound, with all that makes it UNDECIDED
 *	judge_fail()		what is wrong, after judge_weigh() or for demands without a bound
 *	judge_undecided()	what is missing
 *	judge_pass()		for demands without a bound
 *	judge_pass_over()	why the demand does not mean it
 */
#ifndef KTSTR_CHECK_JUDGE_PRIVATE_H
#define KTSTR_CHECK_JUDGE_PRIVATE_H

#include "base/strbuf.h"
#include "check/judge.h"
#include "check/judge_records.h"

enum { JUDGE_FAILS_EACH = 8, JUDGE_OTHERS_EACH = 2, JUDGE_REASON = 200 };

/* Of whom something is said, and the time in which it was seen. */
struct subject {
	char name[96];
	const char *step; /* "": of the whole run */
	uint64_t begin_ns, end_ns;
};

/* The demand at hand, and what its subjects gave so far. */
struct desk {
	const struct rec_demand *demand;
	const struct ktstr_check_info *info;
	size_t first; /* of its findings */
	size_t looked, faults;
	double bound; /* that was weighed against last */
	bool has_worst;
	double worst;
	struct subject worst_subject;
	bool lightly, overridden;
	char passed_over[JUDGE_REASON];
};

struct judge {
	const struct records *r;
	const struct judge_host *host;
	struct desk desk;
	struct judge_finding *items;
	size_t nr, size, more;
	int error; /* -ENOMEM */
};

/* --- judge_desk.c: what is said of a subject --- */
/* How far from the bound; infinite without one. */
double judge_severity(const struct judge_finding *finding);
void judge_desk_open(struct judge *j, const struct rec_demand *demand);
void judge_desk_close(struct judge *j);
KTSTR_PRINTF(3, 4) void judge_error(struct judge *j, const struct subject *s, const char *fmt, ...);
KTSTR_PRINTF(3, 4)
void judge_undecided(struct judge *j, const struct subject *s, const char *fmt, ...);
/* @value: NULL if there is none. */
KTSTR_PRINTF(4, 5)
void judge_fail(struct judge *j, const struct subject *s, const double *value, const char *fmt,
		...);
void judge_pass(struct judge *j, const struct subject *s);
KTSTR_PRINTF(2, 3) void judge_pass_over(struct judge *j, const char *fmt, ...);
/* The same where that is so obvious that any other reason is better worth telling. */
void judge_pass_over_lightly(struct judge *j, const char *reason);
/* Return: true if @value breaks the demand, which the caller then explains by judge_fail(); else all is
 * said.  @bound: judge_bound() of it. */
bool judge_weigh(struct judge *j, const struct subject *s, double value, double bound);
bool judge_breaks(const struct judge *j, double value, double bound);

/* --- judge_host.c: what the host and the engine did --- */
/* Why a value of that window says nothing, "" if it does. */
void judge_disturbance(const struct judge *j, const struct subject *s, double bound, bool fault,
		       char why[JUDGE_REASON]);

/* --- judge_subjects.c: whom a demand means --- */
struct names {
	const char *work, *cgroup, *step; /* NULL: not of one */
};
/* Does the demand at hand mean this one, and does no more particular one? */
bool judge_covers(struct judge *j, const struct names *names);

enum each_flags { EACH_FROZEN = 1, EACH_BROKEN = 2 };
typedef void (*each_worker_fn)(struct judge *j, const struct rec_worker *w,
			       const struct subject *s);
void judge_each_worker(struct judge *j, unsigned int flags, each_worker_fn fn);
typedef void (*each_row_fn)(struct judge *j, const struct rec_row *row, const struct subject *s);
/* Rows of which every worker is known and none is frozen. */
void judge_each_row(struct judge *j, each_row_fn fn);

void subject_of_run(struct subject *ret_subject);
void subject_of_worker(const struct judge *j, const struct rec_worker *w,
		       struct subject *ret_subject);

static inline const struct rec_step *judge_step(const struct judge *j, uint64_t step)
{
	return &j->r->steps[step];
}

/* When a scheduler was ejected or could not be attached; UINT64_MAX: never. */
uint64_t judge_gone_ns(const struct judge *j);
/* Since the scenario's first step began, for people. */
double judge_seconds(const struct judge *j, uint64_t at_ns);

/* --- judge_due.c: what a worker has a right to --- */
bool cpuset_overlaps(const struct cpuset *a, const struct cpuset *b);
/* CPU time against others, 1024 for nice 0 in cgroups of weight 100. */
double judge_weight(const struct judge *j, const struct rec_worker *w);
bool judge_has_quota(const struct judge *j, const struct rec_worker *w);
/* How many times longer than an ordinary worker among few it may be kept waiting; infinite: as long as
 * others please. */
double judge_patience(const struct judge *j, const struct rec_worker *w);
/* Busy workers that may use one of these CPUs in this step. */
size_t judge_rivals(const struct judge *j, uint64_t step, const struct cpuset *cpus);
/* The bound for this worker: what is built in gives way to patience, the most of all steps that the
 * @ns from @begin_ns on reach into.  false: none holds. */
bool judge_bound(const struct judge *j, const struct rec_worker *w, uint64_t begin_ns, uint64_t ns,
		 double *ret_bound);

/* --- judge_words.c: parts of sentences --- */
/* "hogs/2 (spin in left, allowed 0-3)" */
void words_add_worker(struct strbuf *out, const struct rec_worker *w);
/* "4 workers of hogs (spin in left, allowed 0-3)"; of rows that are whole, as is all that takes rows */
void words_add_row(struct strbuf *out, const struct rec_row *row);
/* What they may use together. */
void row_cpus(const struct rec_row *row, struct cpuset *ret_cpus);
/* ", and waited 1.20 s in all", if that is known, and words_add_cpus() */
void words_add_row_held(struct strbuf *out, const struct judge *j, const struct rec_row *row);
/* "; hogs/2 waited 812 ms of 1.00 s", if that is known */
void words_add_waits(struct strbuf *out, const struct rec_worker *w);
/* " (bound: at most 20 ms)": that was weighed against */
void words_add_bound(struct strbuf *out, const struct judge *j);
/* " from 1.204 s on" */
void words_add_when(struct strbuf *out, const struct judge *j, uint64_t at_ns);
/* In the unit of a check: "12 ms", "3.5 %", "20 iterations" */
void words_add_value(struct strbuf *out, const char *unit, double value);
/* One line that fits; cut ones end in "...". */
void words_copy(char *to, size_t size, const char *text);

/* --- judge_holders.c: what held CPUs, as parts of sentences --- */
/* "812 ms from 0.100 s on until the end of the step" */
void words_add_longest_wait(struct strbuf *out, const struct judge *j, const struct rec_wait *wait);
/* " while CPUs 0-3 ran hogs/0 (44 %), idle (13 %)", of its longest wait.
 * Return: false: that is not known, and nothing is said.  @wait: NULL is fine. */
bool words_add_wait_holders(struct strbuf *out, const struct rec_wait *wait);
/* The same, and "; CPU 3 was idle for 60 ms at a stretch while it waited"; or words_add_cpus(). */
void words_add_holders(struct strbuf *out, const struct judge *j, const struct rec_worker *w);
/* The same behind @lead and words_add_longest_wait(), if it is known what held CPUs in that wait. */
void words_add_longest_held(struct strbuf *out, const struct judge *j, const struct rec_worker *w,
			    const char *lead);
/* "; in that step CPUs 0-3 ran hogs/0 (44 %), idle (13 %); CPU 3 was idle for 480 ms of 501 ms", or that
 * the records do not say it; nothing if there are no CPUs */
void words_add_cpus(struct strbuf *out, const struct judge *j, uint64_t step,
		    const struct cpuset *cpus);
/* The same of all that were online some time. */
void words_add_online(struct strbuf *out, const struct judge *j, uint64_t step);

/* --- the checks, by name; each for the demand at hand --- */
#define CHECK(name, kind, relation, unit, subject, about) void judge_##name(struct judge *j);
#include <ktstr/checks.def>
/* What no demand asks for: damage, operations that failed, what was left behind. */
void judge_scenario(struct judge *j);

#endif
