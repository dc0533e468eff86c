// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "check/judge_private.h"

/* What a row's workers used together; false: one of them is not known, which is said. */
static bool row_cpu(struct judge *j, const struct rec_row *row, const struct subject *s,
		    double *ret_ns)
{
	*ret_ns = 0;
	for (uint64_t i = 0; i < row->workers; i++) {
		const struct rec_worker *w = row->slots[i];

		if (!w->cpu_ns.known) {
			judge_undecided(j, s, "the CPU time of %s/%u is not known", row->work,
					(unsigned int)i);
			return false;
		}
		*ret_ns += (double)w->cpu_ns.value;
	}
	return true;
}

static void explain_share(struct judge *j, const struct rec_row *row, const struct subject *s,
			  double used_ns, double all_ns)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
	double value = 100 * used_ns / all_ns;

	words_add_row(&out, row);
	strbuf_addf(&out, " used %.3g %% of what there was for them, ", value);
	text_add_duration(&out, (unsigned long long)used_ns);
	strbuf_addstr(&out, " of ");
	text_add_duration(&out, (unsigned long long)all_ns);
	words_add_bound(&out, j);
	words_add_row_held(&out, j, row);
	judge_fail(j, s, &value, "%s", strbuf_str(&out));
}

static void share(struct judge *j, const struct rec_row *row, const struct subject *s)
{
	double used_ns, all_ns;
	struct cpuset cpus;
	uint64_t nr;

	if (!row_cpu(j, row, s, &used_ns))
		return;
	row_cpus(row, &cpus);
	nr = cpuset_count(&cpus) < row->workers ? cpuset_count(&cpus) : row->workers;
	all_ns = (double)nr * (double)(s->end_ns - s->begin_ns);
	if (all_ns <= 0) {
		judge_undecided(j, s, "no CPU or no time was left to %s", row->work);
		return;
	}
	if (judge_weigh(j, s, 100 * used_ns / all_ns, j->desk.demand->demand.bound))
		explain_share(j, row, s, used_ns, all_ns);
}

void judge_cpu_share_percent(struct judge *j)
{
	judge_each_row(j, share);
}

void judge_cpu_share_max_percent(struct judge *j)
{
	judge_each_row(j, share);
}

static void rate(struct judge *j, const struct rec_row *row, const struct subject *s)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
	double iterations = 0, per_s;

	for (uint64_t i = 0; i < row->workers; i++) {
		if (!row->slots[i]->iterations.known) {
			judge_undecided(j, s, "what %s/%u got done is not known", row->work,
					(unsigned int)i);
			return;
		}
		iterations += (double)row->slots[i]->iterations.value;
	}
	if (s->end_ns == s->begin_ns) {
		judge_undecided(j, s, "no time passed");
		return;
	}
	per_s = iterations * NSEC_PER_SEC / (double)(s->end_ns - s->begin_ns);
	if (!judge_weigh(j, s, per_s, j->desk.demand->demand.bound))
		return;
	words_add_row(&out, row);
	strbuf_addf(&out, " did %.0f iterations in %.3f s, %.4g a second", iterations,
		    (double)(s->end_ns - s->begin_ns) / NSEC_PER_SEC, per_s);
	words_add_bound(&out, j);
	words_add_row_held(&out, j, row);
	judge_fail(j, s, &per_s, "%s", strbuf_str(&out));
}

void judge_iterations_per_s(struct judge *j)
{
	judge_each_row(j, rate);
}

/* Who ran where its memory is, where it might have run. */
static void explain_local(struct judge *j, const struct rec_row *row, const struct subject *s,
			  double near_ns, double far_ns)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
	double value = 100 * near_ns / (near_ns + far_ns);
	struct cpuset near = { { 0 } }, cpus;

	words_add_row(&out, row);
	strbuf_addf(&out, " ran %.3g %% of their time near their memory, ", value);
	text_add_duration(&out, (unsigned long long)far_ns);
	strbuf_addstr(&out, " far from it");
	words_add_bound(&out, j);
	for (uint64_t i = 0; i < row->workers; i++) {
		struct cpuset own = row->slots[i]->near;

		cpuset_cut(&own, &row->slots[i]->allowed);
		cpuset_unite(&near, &own);
	}
	row_cpus(row, &cpus);
	words_add_cpus(&out, j, row->step, cpuset_count(&near) ? &near : &cpus);
	judge_fail(j, s, &value, "%s", strbuf_str(&out));
}

static void local(struct judge *j, const struct rec_row *row, const struct subject *s)
{
	double near_ns = 0, far_ns = 0;

	for (uint64_t i = 0; i < row->workers; i++) {
		const struct rec_worker *w = row->slots[i];

		if (!w->local_ns.known || !w->remote_ns.known) {
			judge_undecided(j, s, "how near to its memory %s/%u ran is not known",
					row->work, (unsigned int)i);
			return;
		}
		near_ns += (double)w->local_ns.value;
		far_ns += (double)w->remote_ns.value;
	}
	if (near_ns + far_ns <= 0) {
		judge_undecided(j, s, "%s was never seen running", row->work);
		return;
	}
	if (judge_weigh(j, s, 100 * near_ns / (near_ns + far_ns), j->desk.demand->demand.bound))
		explain_local(j, row, s, near_ns, far_ns);
}

void judge_local_percent(struct judge *j)
{
	judge_each_row(j, local);
}

/* Only workers that want the same can be compared. */
static const char *not_comparable(const struct judge *j, const struct rec_row *row,
				  const struct subject *s)
{
	const struct rec_worker *first = row->slots[0];

	if (row->workers < 2)
		return "there is only one worker";
	if (!row->busy)
		return "its workers sleep of their own will";
	for (uint64_t i = 0; i < row->workers; i++) {
		const struct rec_worker *w = row->slots[i];

		if (memcmp(&w->allowed, &first->allowed, sizeof(w->allowed)) != 0 ||
		    strcmp(w->cgroup, first->cgroup) != 0)
			return "its workers do not share cgroup and CPUs";
		if (w->state != WORKER_RUNNING ||
		    (w->end_ns - w->begin_ns) * 10 < (s->end_ns - s->begin_ns) * 9)
			return "not all of its workers were there all the time";
	}
	if (judge_rivals(j, row->step, &first->allowed) <= cpuset_count(&first->allowed))
		return "there was a CPU for each";
	return NULL;
}

static void explain_spread(struct judge *j, const struct rec_worker *least,
			   const struct rec_worker *most, const struct subject *s, double value)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;

	words_add_worker(&out, least);
	strbuf_addf(&out,
		    " got %.1f ms of CPU time and %s/%u got %.1f ms, %.3g %% of their mean apart",
		    (double)least->cpu_ns.value / NSEC_PER_MSEC, most->work,
		    (unsigned int)most->index, (double)most->cpu_ns.value / NSEC_PER_MSEC, value);
	words_add_bound(&out, j);
	words_add_waits(&out, least);
	words_add_cpus(&out, j, least->step, &least->allowed);
	judge_fail(j, s, &value, "%s", strbuf_str(&out));
}

static void spread(struct judge *j, const struct rec_row *row, const struct subject *s)
{
	const struct rec_worker *least = row->slots[0], *most = row->slots[0];
	const char *why = not_comparable(j, row, s);
	double sum_ns, value;

	if (why) {
		judge_pass_over(j, "%s", why);
		return;
	}
	if (!row_cpu(j, row, s, &sum_ns))
		return;
	for (uint64_t i = 0; i < row->workers; i++) {
		const struct rec_worker *w = row->slots[i];

		if (w->cpu_ns.value < least->cpu_ns.value)
			least = w;
		if (w->cpu_ns.value > most->cpu_ns.value)
			most = w;
	}
	if (sum_ns <= 0) {
		judge_undecided(j, s, "%s got no CPU time at all", row->work);
		return;
	}
	value = 100 * (double)(most->cpu_ns.value - least->cpu_ns.value) /
		(sum_ns / (double)row->workers);
	if (judge_weigh(j, s, value, j->desk.demand->demand.bound))
		explain_spread(j, least, most, s, value);
}

void judge_spread_percent(struct judge *j)
{
	judge_each_row(j, spread);
}

static void kicks(struct judge *j, const struct rec_cpu *cpu, const struct subject *s)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
	struct cpuset self = { { 0 } };
	double per_s = (double)cpu->kicks.value * NSEC_PER_SEC / (double)(s->end_ns - s->begin_ns);

	if (!judge_weigh(j, s, per_s, j->desk.demand->demand.bound))
		return;
	strbuf_addf(&out, "CPU %u was interrupted %llu times to reschedule, %.4g times a second",
		    (unsigned int)cpu->cpu, (unsigned long long)cpu->kicks.value, per_s);
	words_add_bound(&out, j);
	cpuset_add(&self, (uint32_t)cpu->cpu);
	words_add_cpus(&out, j, cpu->step, &self);
	judge_fail(j, s, &per_s, "%s", strbuf_str(&out));
}

void judge_kicks_per_s(struct judge *j)
{
	for (size_t i = 0; i < j->r->nr_cpu_records; i++) {
		const struct rec_cpu *cpu = &j->r->cpus[i];
		const struct rec_step *step = judge_step(j, cpu->step);
		struct subject s = { .step = step->name,
				     .begin_ns = step->begin_ns,
				     .end_ns = step->end_ns };

		if (!judge_covers(j, &(struct names){ .step = step->name }))
			continue;
		snprintf(s.name, sizeof(s.name), "CPU %u", (unsigned int)cpu->cpu);
		if (!cpu->online || step->how == STEP_BROKEN) {
			judge_pass_over(j, "the CPU was offline, or the step broken off");
			continue;
		}
		if (!cpu->kicks.known || s.end_ns <= s.begin_ns) {
			judge_undecided(j, &s, "how often CPU %u was interrupted is not known",
					(unsigned int)cpu->cpu);
			continue;
		}
		kicks(j, cpu, &s);
	}
}
