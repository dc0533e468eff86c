// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/near.h"
#include "scenario/check.h"
#include "scenario/row_text.h"

enum { HINT_BYTES = NEAR_WORD + 32, STEP_NAME = 16 };

/* Of two checks the one's lower bound must not be above the other's upper one. */
static const struct {
	enum ktstr_check_id least, most;
} pairs[] = {
	{ KTSTR_JUDGE_cpu_share_percent, KTSTR_JUDGE_cpu_share_max_percent },
	{ KTSTR_JUDGE_quota_use_percent, KTSTR_JUDGE_quota_percent },
};

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool same_subject(const struct ktstr_demand *a, const struct ktstr_demand *b)
{
	return same(a->work, b->work) && same(a->cgroup, b->cgroup) && same(a->step, b->step);
}

static bool contradicts(const struct ktstr_demand *a, const struct ktstr_demand *b)
{
	if (a->off || b->off)
		return false;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if (a->check == pairs[i].least && b->check == pairs[i].most && a->bound > b->bound)
			return true;
		if (b->check == pairs[i].least && a->check == pairs[i].most && b->bound > a->bound)
			return true;
	}
	return false;
}

static int check_pairs(struct check_state *state, size_t index)
{
	const struct ktstr_demand *rows = state->scenario->checks, *d = &rows[index];
	char one[ROW_TEXT_BYTES], two[ROW_TEXT_BYTES];

	for (size_t i = 0; i < index; i++) {
		if (!same_subject(&rows[i], d))
			continue;
		if (rows[i].check == d->check || contradicts(&rows[i], d))
			return ktstr_error_set(state->err, -EINVAL, "'%s' %s '%s'",
					       demand_format(&rows[i], one, sizeof(one)),
					       rows[i].check == d->check ? "is demanded, and also"
									 : "contradicts",
					       demand_format(d, two, sizeof(two)));
	}
	return 0;
}

static int unknown(struct check_state *state, const char *noun, const char *name,
		   const struct near *near)
{
	char hint[HINT_BYTES];

	return ktstr_error_set(state->err, -EINVAL, "there is no %s '%s'%s", noun, name,
			       near_hint(near, hint, sizeof(hint)));
}

static int check_work_name(struct check_state *state, const char *name)
{
	struct near near = near_start(name);

	for (size_t i = 0; i < state->nr_works; i++) {
		if (!strcmp(state->works[i].row->name, name))
			return 0;
		near_offer(&near, state->works[i].row->name);
	}
	return unknown(state, "work", name, &near);
}

static int check_cgroup_name(struct check_state *state, const char *name)
{
	struct near near = near_start(name);

	for (size_t i = 0; i < state->nr_cgroups; i++) {
		if (!strcmp(state->cgroups[i].row->name, name))
			return 0;
		near_offer(&near, state->cgroups[i].row->name);
	}
	return unknown(state, "cgroup", name, &near);
}

static int check_step_name(struct check_state *state, const char *name)
{
	const struct ktstr_step *steps = state->scenario->steps;
	struct near near = near_start(name);
	char number[STEP_NAME];

	for (size_t i = 0; i < KTSTR_SCENARIO_STEPS && steps[i].hold_ns; i++) {
		snprintf(number, sizeof(number), "step%zu", i + 1);
		if (!strcmp(steps[i].name ? steps[i].name : number, name))
			return 0;
		if (steps[i].name)
			near_offer(&near, steps[i].name);
	}
	return unknown(state, "step", name, &near);
}

static int check_subject(struct check_state *state, const struct ktstr_demand *d)
{
	const struct ktstr_check_info *info = ktstr_check_info(d->check);
	bool of_works =
		info->subject == KTSTR_SUBJECT_WORKER || info->subject == KTSTR_SUBJECT_WORK;

	if (d->work && !of_works)
		return ktstr_error_set(state->err, -EINVAL, "%s does not look at works",
				       info->name);
	if (d->cgroup && !of_works && info->subject != KTSTR_SUBJECT_CGROUP)
		return ktstr_error_set(state->err, -EINVAL, "%s does not look at cgroups",
				       info->name);
	return 0;
}

static int check_demand(struct check_state *state, size_t index)
{
	const struct ktstr_demand *d = &state->scenario->checks[index];
	const struct ktstr_check_info *info = ktstr_check_info(d->check);
	int r;

	if (!info)
		return ktstr_error_set(state->err, -EINVAL, "there is no check %d", (int)d->check);
	if (!isfinite(d->bound) || d->bound < 0)
		return ktstr_error_set(state->err, -EINVAL, "%s: a bound is a number, 0 or more",
				       info->name);
	r = check_subject(state, d);
	if (r == 0 && d->work)
		r = check_work_name(state, d->work);
	if (r == 0 && d->cgroup)
		r = check_cgroup_name(state, d->cgroup);
	if (r == 0 && d->step)
		r = check_step_name(state, d->step);
	if (r < 0)
		return ktstr_error_wrap(state->err, r, "check %s", info->name);
	return check_pairs(state, index);
}

int check_demands(struct check_state *state)
{
	const struct ktstr_demand *rows = state->scenario->checks;
	int r = 0;

	state->where.part = CHECK_DEMAND;
	for (size_t i = 0; r == 0 && i < KTSTR_SCENARIO_CHECKS && rows[i].check; i++) {
		state->where.row = i;
		r = check_demand(state, i);
	}
	return r;
}
