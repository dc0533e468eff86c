// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "check/judge_private.h"

/* Words of sched/story.h that tell of a loader that never got as far as the kernel. */
static const char *const set_up_words[] = { "missing", "arguments", "attach", "exit",
					    "crash",   "forked",    "left" };

static bool never_reached_the_kernel(const struct rec_scheduler *s)
{
	if (s->exit_kind.known || (s->reason && *s->reason) || !s->story)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(set_up_words); i++)
		if (!strcmp(s->story, set_up_words[i]))
			return true;
	return false;
}

/* Of the step in which it was, or of the last before. */
static const struct rec_worker *worker_of(const struct judge *j, uint64_t tid, uint64_t at_ns)
{
	const struct rec_worker *found = NULL;

	for (size_t i = 0; i < j->r->nr_workers; i++) {
		const struct rec_worker *w = &j->r->workers[i];

		if (w->row && w->tid == tid && (!found || w->begin_ns <= at_ns))
			found = w;
	}
	return found;
}

/* "hogs/2[131] failed to run for 6.432s": the number is a thread's. */
static const struct rec_worker *worker_named(const struct judge *j, const char *message,
					     uint64_t at_ns)
{
	for (const char *p = strchr(message, '['); p; p = strchr(p + 1, '[')) {
		char *end;
		unsigned long long tid = strtoull(p + 1, &end, 10);
		const struct rec_worker *w;

		if (end == p + 1 || *end != ']')
			continue;
		w = worker_of(j, tid, at_ns);
		if (w)
			return w;
	}
	return NULL;
}

static const struct rec_step *step_at(const struct judge *j, uint64_t at_ns)
{
	const struct rec_step *found = NULL;

	for (size_t i = 0; i < j->r->nr_steps; i++)
		if (j->r->steps[i].ended && j->r->steps[i].begin_ns <= at_ns)
			found = &j->r->steps[i];
	return found;
}

/* Of a task that got no CPU: what held them. */
static void add_stall(struct strbuf *out, const struct judge *j, const struct rec_scheduler *s,
		      const struct rec_worker *w)
{
	const struct rec_step *step = step_at(j, s->at_ns);

	if (!s->story || strcmp(s->story, "stall") != 0)
		return;
	if (w)
		words_add_longest_held(out, j, w, "; it waited ");
	else if (step)
		words_add_online(out, j, (uint64_t)(step - j->r->steps));
}

static void add_unless_said(struct strbuf *out, const char *said, const char *more)
{
	if (more && *more && !strstr(said, more))
		strbuf_addf(out, ": %s", more);
}

static void tell(const struct judge *j, const struct rec_scheduler *s, struct strbuf *out)
{
	const struct rec_worker *named = s->message ? worker_named(j, s->message, s->at_ns) : NULL;

	strbuf_addf(out, "%s", s->text);
	add_unless_said(out, s->text, s->reason);
	add_unless_said(out, s->text, s->message);
	if (s->exit_kind.known)
		strbuf_addf(out, " (exit kind %llu)", (unsigned long long)s->exit_kind.value);
	if (named) {
		strbuf_addstr(out, "; that task is ");
		words_add_worker(out, named);
	}
	if (j->r->nr_steps && j->r->steps[0].begun && s->at_ns >= j->r->steps[0].begin_ns)
		strbuf_addf(out, ", %.3f s after the first step began", judge_seconds(j, s->at_ns));
	add_stall(out, j, s, named);
}

static void judge_end(struct judge *j, const struct rec_scheduler *s)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
	struct subject run;

	subject_of_run(&run);
	tell(j, s, &out);
	if (s->event == SCHEDULER_FAILED && never_reached_the_kernel(s))
		judge_error(j, &run, "the scheduler was not attached: %s", strbuf_str(&out));
	else
		judge_fail(j, &run, NULL, "%s", strbuf_str(&out));
}

void judge_scheduler_alive(struct judge *j)
{
	bool attached = false, was_attached = false;
	struct subject run;

	subject_of_run(&run);
	for (size_t i = 0; i < j->r->nr_schedulers; i++) {
		const struct rec_scheduler *s = &j->r->schedulers[i];

		attached = s->event == SCHEDULER_ATTACHED;
		was_attached |= attached;
		if (s->event == SCHEDULER_EJECTED || s->event == SCHEDULER_FAILED)
			judge_end(j, s);
	}
	if (j->desk.faults)
		return;
	if (!was_attached && j->r->scheduler[0])
		judge_undecided(j, &run, "no record says that %s was ever attached",
				j->r->scheduler);
	else if (attached)
		judge_undecided(j, &run, "no record says how the attached scheduler ended");
	else
		judge_pass(j, &run);
}

static const struct rec_worker *which_worker_is_last(const struct judge *j,
						     const struct rec_step *step)
{
	const struct rec_worker *last = NULL;

	for (size_t i = 0; i < j->r->nr_workers; i++) {
		const struct rec_worker *w = &j->r->workers[i];

		if (!w->row || judge_step(j, w->step) != step || w->state == WORKER_ENDED ||
		    !w->iterations.known || !strstr(step->event, w->work))
			continue;
		if (!last || w->iterations.value < last->iterations.value)
			last = w;
	}
	return last;
}

static void limit_was_reached(struct judge *j, const struct rec_step *step, const struct subject *s)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
	const char *event = step->event ? step->event : "its event";
	const struct rec_worker *last = step->event ? which_worker_is_last(j, step) : NULL;

	strbuf_addf(&out, "step '%s' waited for '%s' for %.3f s, and it did not come", step->name,
		    event, (double)(step->end_ns - step->begin_ns) / 1e9);
	if (last) {
		strbuf_addstr(&out, "; ");
		words_add_worker(&out, last);
		strbuf_addf(&out, " is the furthest behind, with %llu iterations",
			    (unsigned long long)last->iterations.value);
		words_add_waits(&out, last);
		words_add_cpus(&out, j, last->step, &last->allowed);
	} else {
		words_add_online(&out, j, (uint64_t)(step - j->r->steps));
	}
	judge_fail(j, s, NULL, "%s", strbuf_str(&out));
}

void judge_step_ends(struct judge *j)
{
	for (size_t i = 0; i < j->r->nr_steps; i++) {
		const struct rec_step *step = &j->r->steps[i];
		const struct names names = { .step = step->name };
		struct subject s = { .name = "the run",
				     .step = step->name,
				     .begin_ns = step->begin_ns,
				     .end_ns = step->end_ns };
		char why[JUDGE_REASON];

		if (!judge_covers(j, &names))
			continue;
		if (!step->ended || step->how == STEP_BROKEN) {
			judge_pass_over(j, "the step '%s' was broken off or never begun",
					step->name);
			continue;
		}
		judge_disturbance(j, &s, 0, step->how == STEP_LIMIT, why);
		if (why[0])
			judge_undecided(j, &s, "%s", why);
		else if (step->how == STEP_LIMIT)
			limit_was_reached(j, step, &s);
		else
			judge_pass(j, &s);
	}
}

void judge_scenario(struct judge *j)
{
	bool gone = judge_gone_ns(j) != UINT64_MAX;
	const struct records *r = j->r;
	struct subject run;

	subject_of_run(&run);
	if (r->damage[0])
		judge_error(j, &run, "the records cannot be trusted: %s", r->damage);
	for (size_t i = 0; i < r->nr_ops; i++)
		if (r->ops[i].error[0] && !gone)
			judge_error(j, &run, "step '%s': %s failed: %s",
				    judge_step(j, r->ops[i].step)->name, r->ops[i].op,
				    r->ops[i].error);
	for (size_t i = 0; i < r->nr_workers; i++)
		if (r->workers[i].trouble)
			judge_error(j, &run, "%s/%u is not what its row says: %s",
				    r->workers[i].work, (unsigned int)r->workers[i].index,
				    r->workers[i].trouble);
	if (r->ended && !r->clean)
		judge_error(j, &run, "not all that the scenario made could be removed: %s",
			    r->left ? r->left : "nothing says what");
	if (r->ended && r->steps_done < r->nr_steps && !gone)
		judge_error(j, &run, "only %u of %u steps were done, and nothing says why",
			    (unsigned int)r->steps_done, (unsigned int)r->nr_steps);
}
