// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <string.h>

#include "base/text.h"
#include "check/judge_private.h"

/* Samples without which a percentile is a guess: some must lie beyond it. */
enum { SAMPLES_P50 = 20, SAMPLES_P99 = 200, SAMPLES_MAX = 1 };

static bool tells_nothing(const struct rec_worker *w)
{
	return !strcmp(w->row->type, "program") || !strcmp(w->row->type, "custom");
}

/* What lies behind the end of the scheduler is not its doing. */
static uint64_t until_gone(const struct judge *j, uint64_t begin_ns, uint64_t ns)
{
	uint64_t gone_ns = judge_gone_ns(j);

	if (gone_ns - begin_ns >= ns && gone_ns >= begin_ns)
		return ns;
	return gone_ns > begin_ns ? gone_ns - begin_ns : 0;
}

static const struct rec_worker *in_step_before(const struct judge *j, const struct rec_worker *w)
{
	for (size_t i = 0; i < j->r->nr_rows && w->step; i++) {
		const struct rec_row *row = &j->r->rows[i];

		if (row->step + 1 == w->step && w->index < row->workers &&
		    !strcmp(row->work, w->work))
			return row->slots[w->index];
	}
	return NULL;
}

typedef struct reading (*span_fn)(const struct rec_worker *w);

static struct reading gap_of(const struct rec_worker *w)
{
	return w->gap_ns;
}

static struct reading wait_ns_of(const struct rec_worker *w)
{
	return (struct reading){ w->wait && !w->wait->lost, w->wait ? w->wait->wait_ns : 0 };
}

static struct reading idle_of(const struct rec_worker *w)
{
	return (struct reading){ w->wait && !w->wait->lost, w->wait ? w->wait->idle_ns : 0 };
}

/*
 * A time may go on from step to step, and each tells its part only.  Was the worker there for as long as
 * the bound, and can no such time be longer, whatever lies between the steps?
 */
static bool is_seen_over_steps(const struct judge *j, const struct rec_worker *w, span_fn span,
			       double bound)
{
	const struct rec_worker *before;
	double most_ns = (double)span(w).value;
	bool goes_on = true;

	for (const struct rec_worker *at = w; (before = in_step_before(j, at)); at = before) {
		double part_ns = (double)span(before).value;

		if (!span(before).known || before->frozen || before->end_ns > at->begin_ns)
			return false;
		if (goes_on)
			most_ns += part_ns + (double)(at->begin_ns - before->end_ns);
		if (part_ns * 10 < (double)(before->end_ns - before->begin_ns) * 9)
			goes_on = false;
		if (most_ns > bound)
			return false;
		if ((double)(w->end_ns - before->begin_ns) >= bound)
			return true;
	}
	return false;
}

/* Could a time as long as the bound have been seen at all? */
static bool can_be_seen(struct judge *j, const struct rec_worker *w, span_fn span, uint64_t ns,
			double bound)
{
	if ((double)ns > bound)
		return true;
	if (!cpuset_count(&w->allowed))
		judge_pass_over(j, "no CPU was left to it");
	/* Of a step that was broken off only what had been too long before tells anything. */
	else if (judge_step(j, w->step)->how == STEP_BROKEN)
		judge_pass_over(j, "its step was broken off");
	else if ((double)(w->end_ns - w->begin_ns) < bound &&
		 !is_seen_over_steps(j, w, span, bound))
		judge_pass_over(j, "the time it was watched is shorter than the bound");
	else
		return true;
	return false;
}

/* What holds for this worker, if anything does. */
static bool has_bound(struct judge *j, const struct rec_worker *w, uint64_t begin_ns, uint64_t ns,
		      double *ret_bound)
{
	if (judge_bound(j, w, begin_ns, ns, ret_bound))
		return true;
	judge_pass_over(j, "it may be kept waiting as long as others please");
	return false;
}

/* Its longest wait, if that is in the gap. */
static void add_wait(struct strbuf *out, const struct judge *j, const struct rec_worker *w)
{
	const struct rec_wait *wait = w->wait;
	uint64_t end_ns = w->gap_begin_ns.value + w->gap_ns.value;

	if (!wait || !wait->wait_ns || wait->begin_ns >= end_ns ||
	    wait->begin_ns + wait->wait_ns <= w->gap_begin_ns.value) {
		words_add_cpus(out, j, w->step, &w->allowed);
		return;
	}
	strbuf_addstr(out, "; for ");
	words_add_longest_wait(out, j, wait);
	strbuf_addstr(out, " it waited");
	words_add_holders(out, j, w);
}

static void gap(struct judge *j, const struct rec_worker *w, const struct subject *s)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
	double bound, value;
	uint64_t ns;

	if (!w->gap_ns.known || !w->gap_begin_ns.known) {
		if (tells_nothing(w))
			judge_pass_over(j, "programs do not tell when they get on");
		else
			judge_undecided(j, s, "the gaps of %s/%u are not known", w->work,
					(unsigned int)w->index);
		return;
	}
	ns = until_gone(j, w->gap_begin_ns.value, w->gap_ns.value);
	value = (double)ns;
	if (!has_bound(j, w, w->gap_begin_ns.value, ns, &bound) ||
	    !can_be_seen(j, w, gap_of, ns, bound) || !judge_weigh(j, s, value, bound))
		return;
	words_add_worker(&out, w);
	strbuf_addstr(&out, " wanted to run, and gave no sign of it for ");
	text_add_duration(&out, ns);
	words_add_bound(&out, j);
	words_add_when(&out, j, w->gap_begin_ns.value);
	if (w->gap_cpu.known)
		strbuf_addf(&out, ", on CPU %u", (unsigned int)w->gap_cpu.value);
	add_wait(&out, j, w);
	judge_fail(j, s, &value, "%s", strbuf_str(&out));
}

void judge_gap_ns(struct judge *j)
{
	judge_each_worker(j, EACH_BROKEN, gap);
}

/* Waits must have been watched.  What is built in is not demanded where they cannot be. */
static bool is_watched(struct judge *j)
{
	struct subject run;

	if (!j->r->watch[0])
		return true;
	subject_of_run(&run);
	if (j->desk.demand->built_in)
		judge_pass_over(j, "waits were not watched: %s", j->r->watch);
	else
		judge_undecided(j, &run, "waits were not watched: %s", j->r->watch);
	return false;
}

/* @fault: what was seen is too long already. */
static bool is_complete(struct judge *j, const struct rec_worker *w, const struct subject *s,
			bool fault)
{
	if (!w->wait)
		judge_undecided(j, s, "nothing says how long %s/%u waited", w->work,
				(unsigned int)w->index);
	else if (w->wait->lost && !fault)
		judge_undecided(j, s, "%llu events were lost, so waits may have been longer",
				(unsigned long long)w->wait->lost);
	else
		return true;
	return false;
}

static void wait_of(struct judge *j, const struct rec_worker *w, const struct subject *s)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
	uint64_t begin_ns = w->wait ? w->wait->begin_ns : w->begin_ns;
	uint64_t ns = w->wait ? until_gone(j, begin_ns, w->wait->wait_ns) : 0;
	double bound, value = (double)ns;

	if (!has_bound(j, w, begin_ns, ns, &bound) || !is_complete(j, w, s, value > bound) ||
	    !can_be_seen(j, w, wait_ns_of, ns, bound) || !judge_weigh(j, s, value, bound))
		return;
	words_add_worker(&out, w);
	strbuf_addstr(&out, " waited ");
	text_add_duration(&out, ns);
	words_add_bound(&out, j);
	words_add_when(&out, j, w->wait->begin_ns);
	if (w->wait->open)
		strbuf_addstr(&out, " until the end of the step");
	words_add_holders(&out, j, w);
	judge_fail(j, s, &value, "%s", strbuf_str(&out));
}

void judge_wait_ns(struct judge *j)
{
	if (is_watched(j))
		judge_each_worker(j, EACH_BROKEN, wait_of);
}

static void explain_idle(struct judge *j, const struct rec_worker *w, const struct subject *s,
			 double value)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;

	if (w->wait->idle_cpu.known)
		strbuf_addf(&out, "CPU %u", (unsigned int)w->wait->idle_cpu.value);
	else
		strbuf_addstr(&out, "a CPU");
	strbuf_addstr(&out, " was idle for ");
	text_add_duration(&out, w->wait->idle_ns);
	words_add_bound(&out, j);
	if (w->wait->idle_begin_ns.known)
		words_add_when(&out, j, w->wait->idle_begin_ns.value);
	strbuf_addstr(&out, " while ");
	words_add_worker(&out, w);
	strbuf_addstr(&out, " waited, ");
	text_add_duration(&out, w->wait->wait_ns);
	strbuf_addstr(&out, " in all");
	if (!words_add_wait_holders(&out, w->wait))
		words_add_cpus(&out, j, w->step, &w->allowed);
	judge_fail(j, s, &value, "%s", strbuf_str(&out));
}

static void idle(struct judge *j, const struct rec_worker *w, const struct subject *s)
{
	double value = w->wait ? (double)w->wait->idle_ns : 0;
	double bound = j->desk.demand->demand.bound;

	if (judge_has_quota(j, w)) {
		judge_pass_over(j, "a quota may keep it waiting beside idle CPUs");
		return;
	}
	if (!strncmp(w->row->policy, "deadline", strlen("deadline"))) {
		judge_pass_over(j, "a deadline worker that has used its time up waits for more");
		return;
	}
	if (is_complete(j, w, s, value > bound) &&
	    can_be_seen(j, w, idle_of, w->wait->idle_ns, bound) && judge_weigh(j, s, value, bound))
		explain_idle(j, w, s, value);
}

void judge_idle_while_waiting_ns(struct judge *j)
{
	if (is_watched(j))
		judge_each_worker(j, 0, idle);
}

struct percentile {
	const char *name;
	uint64_t samples;
};

static struct percentile percentile_of(const struct judge *j)
{
	switch (j->desk.demand->demand.check) {
	case KTSTR_JUDGE_wake_p50_ns:
		return (struct percentile){ "median", SAMPLES_P50 };
	case KTSTR_JUDGE_wake_p99_ns:
		return (struct percentile){ "99th percentile", SAMPLES_P99 };
	default:
		return (struct percentile){ "longest", SAMPLES_MAX };
	}
}

static struct reading wake_of(const struct judge *j, const struct rec_worker *w)
{
	switch (j->desk.demand->demand.check) {
	case KTSTR_JUDGE_wake_p50_ns:
		return w->wakes.p50_ns;
	case KTSTR_JUDGE_wake_p99_ns:
		return w->wakes.p99_ns;
	default:
		return w->wakes.max_ns;
	}
}

static void explain_wake(struct judge *j, const struct rec_worker *w, const struct subject *s,
			 double value)
{
	const struct percentile percentile = percentile_of(j);
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;

	words_add_worker(&out, w);
	strbuf_addf(&out, ": the %s of %llu times from wake-up to running is %.3f ms",
		    percentile.name, (unsigned long long)w->wakes.count, value / 1e6);
	words_add_bound(&out, j);
	if (percentile.samples != SAMPLES_MAX && w->wakes.max_ns.known)
		strbuf_addf(&out, ", the longest %.3f ms", (double)w->wakes.max_ns.value / 1e6);
	if (w->wakes.max_at_ns.known)
		strbuf_addf(&out, " at %.3f s", judge_seconds(j, w->wakes.max_at_ns.value));
	words_add_longest_held(&out, j, w, "; its longest wait for a CPU was ");
	judge_fail(j, s, &value, "%s", strbuf_str(&out));
}

/* The row is as good as the worst of its workers. */
static void wake(struct judge *j, const struct rec_row *row, const struct subject *s)
{
	const struct percentile percentile = percentile_of(j);
	const struct rec_worker *worst = NULL, *poor = NULL;
	double bound = j->desk.demand->demand.bound, value = 0;

	if (row->busy) {
		judge_pass_over(j, "it never sleeps, so nobody wakes it up");
		return;
	}
	for (uint64_t i = 0; i < row->workers; i++) {
		const struct rec_worker *w = row->slots[i];
		struct reading ns = wake_of(j, w);

		if (!w->wakes.known || w->wakes.count < percentile.samples || !ns.known)
			poor = w;
		else if (!worst || (double)ns.value > value) {
			worst = w;
			value = (double)ns.value;
		}
	}
	if (poor && !(worst && judge_breaks(j, value, bound)))
		judge_undecided(j, s, "%s/%u has only %llu wake-ups; its %s takes %llu", row->work,
				(unsigned int)poor->index, (unsigned long long)poor->wakes.count,
				percentile.name, (unsigned long long)percentile.samples);
	else if (worst && judge_weigh(j, s, value, bound))
		explain_wake(j, worst, s, value);
}

void judge_wake_p50_ns(struct judge *j)
{
	judge_each_row(j, wake);
}

void judge_wake_p99_ns(struct judge *j)
{
	judge_each_row(j, wake);
}

void judge_wake_max_ns(struct judge *j)
{
	judge_each_row(j, wake);
}
