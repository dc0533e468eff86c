// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/judge_private.h"

double judge_severity(const struct judge_finding *f)
{
	const struct ktstr_check_info *info = ktstr_check_info(f->check);
	double ratio;

	if (!info || info->relation == KTSTR_HOLDS_ALWAYS || !f->has_value)
		return INFINITY;
	ratio = info->relation == KTSTR_BOUND_ABOVE ? f->value / f->bound : f->bound / f->value;
	return isnan(ratio) ? 0 : ratio;
}

/* The slot to write to: a new one, or that of the mildest of its kind if there are enough of them. */
static struct judge_finding *slot_for(struct judge *j, const struct judge_finding *finding)
{
	size_t limit = finding->verdict == KTSTR_FAIL ? JUDGE_FAILS_EACH : JUDGE_OTHERS_EACH;
	struct judge_finding *mildest = NULL;
	size_t nr = 0;

	for (size_t i = j->desk.first; i < j->nr; i++) {
		if (j->items[i].verdict != finding->verdict)
			continue;
		nr++;
		if (!mildest || judge_severity(&j->items[i]) < judge_severity(mildest))
			mildest = &j->items[i];
	}
	if (nr < limit && j->nr < j->size)
		return &j->items[j->nr++];
	j->more++;
	return mildest && judge_severity(mildest) < judge_severity(finding) ? mildest : NULL;
}

static void add(struct judge *j, const struct subject *s, enum ktstr_verdict verdict,
		const double *value, const char *text)
{
	const struct rec_demand *demand = j->desk.demand;
	struct judge_finding finding = { .verdict = verdict }, *slot;

	if (demand) {
		finding.check = demand->demand.check;
		finding.bound = value ? j->desk.bound : demand->demand.bound;
		words_copy(finding.from, sizeof(finding.from), demand->from);
	}
	if (value) {
		finding.has_value = true;
		finding.value = *value;
	}
	words_copy(finding.subject, sizeof(finding.subject), s->name);
	words_copy(finding.step, sizeof(finding.step), s->step);
	words_copy(finding.text, sizeof(finding.text), text);
	slot = slot_for(j, &finding);
	if (slot)
		*slot = finding;
}

KTSTR_PRINTF(4, 0)
static void add_words(struct judge *j, const struct subject *s, enum ktstr_verdict verdict,
		      const char *fmt, va_list ap)
{
	char text[sizeof(((struct judge_finding *)NULL)->text)];

	vsnprintf(text, sizeof(text), fmt, ap);
	add(j, s, verdict, NULL, text);
	j->desk.faults++;
}

void judge_error(struct judge *j, const struct subject *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_words(j, s, KTSTR_ERROR, fmt, ap);
	va_end(ap);
}

void judge_undecided(struct judge *j, const struct subject *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_words(j, s, KTSTR_UNDECIDED, fmt, ap);
	va_end(ap);
}

void judge_fail(struct judge *j, const struct subject *s, const double *value, const char *fmt, ...)
{
	char text[2 * sizeof(((struct judge_finding *)NULL)->text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	add(j, s, KTSTR_FAIL, value, text);
	j->desk.faults++;
}

void judge_pass(struct judge *j, const struct subject *s)
{
	(void)s;
	j->desk.looked++;
}

void judge_pass_over(struct judge *j, const char *fmt, ...)
{
	va_list ap;

	if (j->desk.passed_over[0] && !j->desk.lightly)
		return;
	j->desk.lightly = false;
	va_start(ap, fmt);
	vsnprintf(j->desk.passed_over, sizeof(j->desk.passed_over), fmt, ap);
	va_end(ap);
}

void judge_pass_over_lightly(struct judge *j, const char *reason)
{
	if (j->desk.passed_over[0])
		return;
	judge_pass_over(j, "%s", reason);
	j->desk.lightly = true;
}

bool judge_breaks(const struct judge *j, double value, double bound)
{
	return j->desk.info->relation == KTSTR_BOUND_ABOVE ? value > bound : value < bound;
}

static void keep_worst(struct judge *j, const struct subject *s, double value)
{
	j->desk.looked++;
	if (j->desk.has_worst && !judge_breaks(j, value, j->desk.worst))
		return;
	j->desk.has_worst = true;
	j->desk.worst = value;
	j->desk.worst_subject = *s;
}

bool judge_weigh(struct judge *j, const struct subject *s, double value, double bound)
{
	bool fault = judge_breaks(j, value, bound);
	char why[JUDGE_REASON];

	j->desk.bound = bound;
	judge_disturbance(j, s, bound, fault, why);
	if (why[0])
		judge_undecided(j, s, "%s", why);
	else if (!fault)
		keep_worst(j, s, value);
	return fault && !why[0];
}

void judge_desk_open(struct judge *j, const struct rec_demand *demand)
{
	j->desk = (struct desk){
		.demand = demand,
		.info = demand ? ktstr_check_info(demand->demand.check) : NULL,
		.first = j->nr,
		.bound = demand ? demand->demand.bound : 0,
	};
}

static const char *noun(const struct judge *j)
{
	switch (j->desk.info->subject) {
	case KTSTR_SUBJECT_WORKER:
		return "worker";
	case KTSTR_SUBJECT_WORK:
		return "row";
	case KTSTR_SUBJECT_CGROUP:
		return "cgroup";
	case KTSTR_SUBJECT_CPU:
		return "CPU";
	case KTSTR_SUBJECT_RUN:
		break;
	}
	return "thing";
}

static void all_well(struct judge *j)
{
	struct desk *desk = &j->desk;
	struct strbuf text = STRBUF_INIT;
	struct subject run;

	subject_of_run(&run);
	if (desk->info->subject == KTSTR_SUBJECT_RUN)
		strbuf_addstr(&text, desk->info->about);
	else
		strbuf_addf(&text, "%zu %s%s looked at", desk->looked, noun(j),
			    desk->looked == 1 ? "" : "s");
	if (desk->has_worst) {
		strbuf_addstr(&text, ", the worst with ");
		words_add_value(&text, desk->info->unit, desk->worst);
		strbuf_addf(&text, ": %s", desk->worst_subject.name);
		if (desk->worst_subject.step[0])
			strbuf_addf(&text, " in %s", desk->worst_subject.step);
	}
	add(j, &run, KTSTR_PASS, desk->has_worst ? &desk->worst : NULL, strbuf_str(&text));
	strbuf_deinit(&text);
}

void judge_desk_close(struct judge *j)
{
	const char *why = j->desk.passed_over;
	bool overridden = !*why && j->desk.overridden;
	struct subject run;

	if (j->desk.faults)
		return;
	if (j->desk.looked) {
		all_well(j);
		return;
	}
	if (overridden)
		why = "more particular demands hold instead";
	else if (!*why)
		why = "there is nobody it could mean";
	subject_of_run(&run);
	add(j, &run, j->desk.demand->of_test && !overridden ? KTSTR_UNDECIDED : KTSTR_SKIP, NULL,
	    why);
}
