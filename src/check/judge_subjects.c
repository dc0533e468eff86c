// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "check/judge_private.h"

void subject_of_run(struct subject *ret_subject)
{
	*ret_subject = (struct subject){ .name = "the run", .step = "", .end_ns = UINT64_MAX };
}

void subject_of_worker(const struct judge *j, const struct rec_worker *w,
		       struct subject *ret_subject)
{
	*ret_subject = (struct subject){
		.step = judge_step(j, w->step)->name,
		.begin_ns = w->begin_ns,
		.end_ns = w->end_ns,
	};
	snprintf(ret_subject->name, sizeof(ret_subject->name), "worker %s/%u", w->work,
		 (unsigned int)w->index);
}

static bool is_below(const char *cgroup, const char *parent)
{
	size_t len = strlen(parent);

	return !strncmp(cgroup, parent, len) && (!cgroup[len] || cgroup[len] == '/');
}

static bool is_named(const struct ktstr_demand *demand, const struct names *names)
{
	return (!demand->work || (names->work && !strcmp(demand->work, names->work))) &&
	       (!demand->cgroup || (names->cgroup && is_below(names->cgroup, demand->cgroup))) &&
	       (!demand->step || (names->step && !strcmp(demand->step, names->step)));
}

static bool same_or_none(const char *general, const char *particular)
{
	return !general || (particular && !strcmp(general, particular));
}

/* Does @b name all that @a names, and more? */
static bool is_more_particular(const struct ktstr_demand *b, const struct ktstr_demand *a)
{
	return same_or_none(a->work, b->work) && same_or_none(a->cgroup, b->cgroup) &&
	       same_or_none(a->step, b->step) &&
	       ((b->work && !a->work) || (b->cgroup && !a->cgroup) || (b->step && !a->step));
}

bool judge_covers(struct judge *j, const struct names *names)
{
	const struct ktstr_demand *demand = &j->desk.demand->demand;

	if (!is_named(demand, names))
		return false;
	for (size_t i = 0; i < j->r->nr_demands; i++) {
		const struct ktstr_demand *other = &j->r->demands[i].demand;

		if (other->check == demand->check && is_named(other, names) &&
		    is_more_particular(other, demand)) {
			j->desk.overridden = true;
			return false;
		}
	}
	return true;
}

uint64_t judge_gone_ns(const struct judge *j)
{
	for (size_t i = 0; i < j->r->nr_schedulers; i++)
		if (j->r->schedulers[i].event == SCHEDULER_EJECTED ||
		    j->r->schedulers[i].event == SCHEDULER_FAILED)
			return j->r->schedulers[i].at_ns;
	return UINT64_MAX;
}

double judge_seconds(const struct judge *j, uint64_t at_ns)
{
	uint64_t zero_ns = j->r->nr_steps ? j->r->steps[0].begin_ns : 0;

	return ((double)at_ns - (double)zero_ns) / NSEC_PER_SEC;
}

static void look_at(struct judge *j, unsigned int flags, const struct rec_worker *w,
		    each_worker_fn fn)
{
	struct subject s;

	subject_of_worker(j, w, &s);
	if (judge_step(j, w->step)->how == STEP_BROKEN && !(flags & EACH_BROKEN))
		judge_pass_over(j, "the step '%s' was broken off", s.step);
	else if (w->frozen && !(flags & EACH_FROZEN))
		judge_pass_over_lightly(j, "it is frozen");
	else
		fn(j, w, &s);
}

static void row_is_short(struct judge *j, const struct rec_row *row, uint64_t index)
{
	const struct rec_step *step = judge_step(j, row->step);
	struct subject s = { .step = step->name, .end_ns = UINT64_MAX };

	snprintf(s.name, sizeof(s.name), "worker %s/%u", row->work, (unsigned int)index);
	judge_undecided(j, &s, "%s/%u left no record of step '%s'", row->work, (unsigned int)index,
			step->name);
}

void judge_each_worker(struct judge *j, unsigned int flags, each_worker_fn fn)
{
	for (size_t i = 0; i < j->r->nr_rows; i++) {
		const struct rec_row *row = &j->r->rows[i];
		struct names names = { row->work, row->cgroup, judge_step(j, row->step)->name };

		for (uint64_t k = 0; k < row->workers; k++) {
			const struct rec_worker *w = row->slots[k];

			names.cgroup = w ? w->cgroup : row->cgroup;
			if (!judge_covers(j, &names))
				continue;
			if (w)
				look_at(j, flags, w, fn);
			else
				row_is_short(j, row, k);
		}
	}
}

static bool row_is_whole(struct judge *j, const struct rec_row *row, struct subject *ret_subject)
{
	for (uint64_t k = 0; k < row->workers; k++) {
		const struct rec_worker *w = row->slots[k];

		if (!w) {
			row_is_short(j, row, k);
			return false;
		}
		if (w->frozen) {
			judge_pass_over_lightly(j, "it is frozen");
			return false;
		}
		if (w->begin_ns < ret_subject->begin_ns)
			ret_subject->begin_ns = w->begin_ns;
		if (w->end_ns > ret_subject->end_ns)
			ret_subject->end_ns = w->end_ns;
	}
	return row->workers;
}

void judge_each_row(struct judge *j, each_row_fn fn)
{
	for (size_t i = 0; i < j->r->nr_rows; i++) {
		const struct rec_row *row = &j->r->rows[i];
		const struct rec_step *step = judge_step(j, row->step);
		const struct names names = { row->work, row->cgroup, step->name };
		struct subject s = { .step = step->name, .begin_ns = UINT64_MAX };

		if (!judge_covers(j, &names))
			continue;
		if (step->how == STEP_BROKEN) {
			judge_pass_over(j, "the step '%s' was broken off", step->name);
			continue;
		}
		snprintf(s.name, sizeof(s.name), "row %s", row->work);
		if (row_is_whole(j, row, &s))
			fn(j, row, &s);
	}
}
