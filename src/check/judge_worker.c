// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "check/judge_private.h"

/* Who got nothing done in less than this (times its patience) may only have been unlucky. */
#define PROGRESS_WINDOW_NS (200 * NSEC_PER_MSEC)
/* CPU time in which a first iteration may not be done yet. */
#define PROGRESS_CPU_NS (10 * NSEC_PER_MSEC)

static void isolation(struct judge *j, const struct rec_worker *w, const struct subject *s)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
	char cpus[128];

	if (!w->outside_known) {
		judge_undecided(j, s, "where %s/%u ran is not known", w->work,
				(unsigned int)w->index);
		return;
	}
	if (!cpuset_count(&w->outside)) {
		judge_pass(j, s);
		return;
	}
	words_add_worker(&out, w);
	strbuf_addf(&out, " ran on CPU%s %s", cpuset_count(&w->outside) == 1 ? "" : "s",
		    cpuset_format(&w->outside, cpus, sizeof(cpus)));
	if (w->outside_ns.known) {
		strbuf_addstr(&out, " for ");
		text_add_duration(&out, w->outside_ns.value);
	}
	strbuf_addf(&out, " in step '%s', which cpuset and affinity forbid", s->step);
	words_add_cpus(&out, j, w->step, &w->allowed);
	judge_fail(j, s, NULL, "%s", strbuf_str(&out));
}

void judge_isolation(struct judge *j)
{
	judge_each_worker(j, EACH_FROZEN | EACH_BROKEN, isolation);
}

static void thawed(struct judge *j, const struct rec_worker *w, const struct subject *s)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;

	words_add_worker(&out, w);
	strbuf_addf(&out, " did %llu iterations while it was frozen, in ",
		    (unsigned long long)w->frozen_iterations.value);
	text_add_duration(&out, w->end_ns - w->begin_ns);
	strbuf_addf(&out, " of step '%s'", s->step);
	words_add_cpus(&out, j, w->step, &w->allowed);
	judge_fail(j, s, NULL, "%s", strbuf_str(&out));
}

static void frozen(struct judge *j, const struct rec_worker *w, const struct subject *s)
{
	if (!w->frozen)
		judge_pass_over_lightly(j, "nobody was frozen");
	else if (!w->frozen_iterations.known)
		judge_undecided(j, s, "what %s/%u did while it was frozen is not known", w->work,
				(unsigned int)w->index);
	else if (w->frozen_iterations.value)
		thawed(j, w, s);
	else
		judge_pass(j, s);
}

void judge_frozen(struct judge *j)
{
	judge_each_worker(j, EACH_FROZEN | EACH_BROKEN, frozen);
}

static bool is_in_a_later_step(const struct judge *j, const struct rec_worker *w)
{
	for (size_t i = 0; i < j->r->nr_workers; i++) {
		const struct rec_worker *other = &j->r->workers[i];

		if (other->row && other->step > w->step && other->index == w->index &&
		    !strcmp(other->work, w->work))
			return true;
	}
	return false;
}

/* "hogs/2 (spin in left, allowed 0-3) ENDED after 12 ms of CPU time in 1.00 s of step 'load'" */
static void add_end(struct strbuf *out, const struct rec_worker *w, const struct subject *s,
		    const char *ended)
{
	words_add_worker(out, w);
	strbuf_addf(out, " %s", ended);
	if (w->cpu_ns.known) {
		strbuf_addstr(out, " after ");
		text_add_duration(out, w->cpu_ns.value);
		strbuf_addstr(out, " of CPU time");
	}
	strbuf_addstr(out, " in ");
	text_add_duration(out, w->end_ns - w->begin_ns);
	strbuf_addf(out, " of step '%s'", s->step);
}

static void is_stuck(struct judge *j, const struct rec_worker *w, const struct subject *s)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;

	add_end(&out, w, s, "was to come to its end, and had got nothing done");
	words_add_longest_held(&out, j, w, "; it waited ");
	judge_fail(j, s, NULL, "%s", strbuf_str(&out));
}

static void crashed(struct judge *j, const struct rec_worker *w, const struct subject *s)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
	const char *name = w->signal.value < 64 ? sigabbrev_np((int)w->signal.value) : NULL;
	char ended[64];

	if (w->signal.known && w->signal.value)
		snprintf(ended, sizeof(ended), "was killed by signal %u (%s)",
			 (unsigned int)w->signal.value, name ? name : "?");
	else
		snprintf(ended, sizeof(ended), "ended with exit status %u",
			 (unsigned int)w->exit.value);
	add_end(&out, w, s, ended);
	judge_fail(j, s, NULL, "%s", strbuf_str(&out));
}

/* Slow is not stuck: only who got nothing done at all has failed to come to its end. */
static void not_yet(struct judge *j, const struct rec_worker *w, const struct subject *s)
{
	bool told = w->iterations.known && w->units.known;
	uint64_t done = w->iterations.value + w->units.value;

	if (!w->row->ends)
		judge_pass(j, s);
	else if (is_in_a_later_step(j, w))
		judge_pass_over(j, "it is in a later step as well");
	else if (w->frozen || judge_step(j, w->step)->how == STEP_BROKEN)
		judge_pass_over(j, "it was frozen, or its step broken off");
	else if (told && !done && w->end_ns - w->begin_ns >= PROGRESS_WINDOW_NS &&
		 w->cpu_ns.known && w->cpu_ns.value < PROGRESS_CPU_NS && judge_patience(j, w) <= 1)
		is_stuck(j, w, s);
	else
		judge_undecided(j, s, "%s/%u had not come to its end when the scenario was over",
				w->work, (unsigned int)w->index);
}

static void completion(struct judge *j, const struct rec_worker *w, const struct subject *s)
{
	unsigned int index = (unsigned int)w->index;

	if (w->state == WORKER_STOPPED)
		judge_pass(j, s);
	else if (w->state == WORKER_RUNNING)
		not_yet(j, w, s);
	else if (w->state == WORKER_MISSING || (!w->signal.known && !w->exit.known))
		judge_undecided(j, s, "how %s/%u ended is not known", w->work, index);
	else if ((w->signal.known && w->signal.value) || w->exit.value)
		crashed(j, w, s);
	else
		judge_pass(j, s);
}

void judge_completion(struct judge *j)
{
	judge_each_worker(j, EACH_FROZEN | EACH_BROKEN, completion);
}

static void got_too_little(struct judge *j, const struct rec_worker *w, const struct subject *s,
			   double value)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;

	words_add_worker(&out, w);
	strbuf_addstr(&out, " did ");
	words_add_value(&out, "iterations", value);
	strbuf_addstr(&out, " in ");
	text_add_duration(&out, w->end_ns - w->begin_ns);
	strbuf_addf(&out, " of step '%s'", s->step);
	words_add_bound(&out, j);
	if (w->wait && w->wait->wait_ns) {
		strbuf_addstr(&out, ", and waited ");
		words_add_longest_wait(&out, j, w->wait);
	}
	words_add_holders(&out, j, w);
	judge_fail(j, s, &value, "%s", strbuf_str(&out));
}

/* Was it kept from running for half of its time? */
static bool was_kept_waiting(const struct rec_worker *w)
{
	uint64_t half_ns = (w->end_ns - w->begin_ns) / 2;

	return (w->wait && w->wait->wait_ns >= half_ns) ||
	       (w->run_delay_ns.known && w->run_delay_ns.value >= half_ns);
}

/* Whoever ran that long is not starved, however long its iterations are. */
static bool got_something(const struct rec_worker *w)
{
	return w->units.value || (w->cpu_ns.known && w->cpu_ns.value >= PROGRESS_CPU_NS);
}

/* Nothing done, of one thing demanded: starved, or only waiting for something else? */
static bool may_be_innocent(struct judge *j, const struct rec_worker *w, const struct subject *s)
{
	double window_ns = (double)(w->end_ns - w->begin_ns);

	if (got_something(w))
		judge_pass(j, s);
	else if (window_ns < PROGRESS_WINDOW_NS * judge_patience(j, w))
		judge_pass_over(j, "its time was too short to do anything");
	else if (!w->row->busy && !was_kept_waiting(w))
		judge_undecided(j, s, "%s/%u did nothing, but did not wait for a CPU either",
				w->work, (unsigned int)w->index);
	else
		return false;
	return true;
}

static void progress(struct judge *j, const struct rec_worker *w, const struct subject *s)
{
	double bound = j->desk.demand->demand.bound;

	if (!cpuset_count(&w->allowed))
		judge_pass_over(j, "no CPU was left to it");
	else if (w->state == WORKER_STOPPED || w->state == WORKER_MISSING)
		judge_pass_over(j, "it was stopped or is missing");
	else if (w->state == WORKER_ENDED)
		judge_pass_over(j, "it ended by itself");
	else if (!w->iterations.known)
		judge_undecided(j, s, "what %s/%u got done is not known", w->work,
				(unsigned int)w->index);
	else if (w->iterations.value < bound && bound <= 1 && may_be_innocent(j, w, s))
		return;
	else if (judge_weigh(j, s, (double)w->iterations.value, bound))
		got_too_little(j, w, s, (double)w->iterations.value);
}

void judge_progress(struct judge *j)
{
	judge_each_worker(j, 0, progress);
}

static void migrations(struct judge *j, const struct rec_worker *w, const struct subject *s)
{
	double bound = j->desk.demand->demand.bound, per_s;
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;

	if (!w->migrations.known || w->end_ns == w->begin_ns) {
		judge_undecided(j, s, "how often %s/%u changed its CPU is not known", w->work,
				(unsigned int)w->index);
		return;
	}
	per_s = (double)w->migrations.value * NSEC_PER_SEC / (double)(w->end_ns - w->begin_ns);
	if (!judge_weigh(j, s, per_s, bound))
		return;
	words_add_worker(&out, w);
	strbuf_addf(&out, " changed its CPU %llu times in ",
		    (unsigned long long)w->migrations.value);
	text_add_duration(&out, w->end_ns - w->begin_ns);
	strbuf_addf(&out, ", %.3g times a second", per_s);
	words_add_bound(&out, j);
	words_add_cpus(&out, j, w->step, &w->allowed);
	judge_fail(j, s, &per_s, "%s", strbuf_str(&out));
}

void judge_migrations_per_s(struct judge *j)
{
	judge_each_worker(j, 0, migrations);
}
