// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "check/judge_private.h"

/* A share may be off by that much time at each end of the window, whatever it is. */
#define SLICE_NS (20.0 * NSEC_PER_MSEC)
/* Shares of less are as long as slices. */
#define SHARED_MIN_NS (8 * SLICE_NS)

/* Rows and cgroups that a sentence has room for. */
enum { ROWS_SHOWN = 2 };

typedef void (*each_cgroup_fn)(struct judge *j, const struct rec_cgroup *cgroup,
			       const struct subject *s);

static void each_cgroup(struct judge *j, each_cgroup_fn fn)
{
	for (size_t i = 0; i < j->r->nr_cgroups; i++) {
		const struct rec_cgroup *c = &j->r->cgroups[i];
		const struct rec_step *step = judge_step(j, c->step);
		const struct names names = { .cgroup = c->cgroup, .step = step->name };
		const char *named = j->desk.demand->demand.cgroup;
		struct subject s = { .step = step->name,
				     .begin_ns = c->begin_ns,
				     .end_ns = c->end_ns };

		if (!judge_covers(j, &names) || (named && strcmp(named, c->cgroup) != 0))
			continue;
		snprintf(s.name, sizeof(s.name), "cgroup %s", c->cgroup);
		if (c->frozen)
			judge_pass_over_lightly(j, "it is frozen");
		else if (step->how == STEP_BROKEN || c->end_ns == c->begin_ns)
			judge_pass_over(j, "the step '%s' was broken off", step->name);
		else
			fn(j, c, &s);
	}
}

/* --- quotas --- */

static double periods_of(const struct rec_cgroup *c)
{
	return (double)(c->end_ns - c->begin_ns) / (double)c->period_ns;
}

static bool has_quota(struct judge *j, const struct rec_cgroup *c, const struct subject *s)
{
	if (!c->quota_ns)
		judge_pass_over_lightly(j, "there is no quota");
	else if (!c->usage_ns.known)
		judge_undecided(j, s, "the CPU time of cgroup %s is not known", c->cgroup);
	else
		return true;
	return false;
}

static bool is_inside(const char *cgroup, const struct rec_cgroup *c)
{
	size_t len = strlen(c->cgroup);

	return !strncmp(cgroup, c->cgroup, len) && (!cgroup[len] || cgroup[len] == '/');
}

/* "cgroup cap (capped: spin)" */
static void add_cgroup(struct strbuf *out, const struct judge *j, const struct rec_cgroup *c)
{
	size_t nr = 0;

	strbuf_addf(out, "cgroup %s", c->cgroup);
	for (size_t i = 0; i < j->r->nr_rows; i++) {
		const struct rec_row *row = &j->r->rows[i];

		if (row->step != c->step || !row->workers || !is_inside(row->cgroup, c))
			continue;
		if (++nr <= ROWS_SHOWN)
			strbuf_addf(out, "%s%s: %s", nr == 1 ? " (" : ", ", row->work, row->type);
	}
	if (nr)
		strbuf_addstr(out, nr > ROWS_SHOWN ? ", ...)" : ")");
}

static void explain_quota(struct judge *j, const struct rec_cgroup *c, const struct subject *s,
			  double value)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;

	add_cgroup(&out, j, c);
	strbuf_addf(&out,
		    " used %.1f ms of CPU time in %.1f ms; cpu.max gives it %.3g of every %.3g ms, "
		    "of which that is %.3g %%",
		    (double)c->usage_ns.value / NSEC_PER_MSEC,
		    (double)(c->end_ns - c->begin_ns) / NSEC_PER_MSEC,
		    (double)c->quota_ns / NSEC_PER_MSEC, (double)c->period_ns / NSEC_PER_MSEC,
		    value);
	words_add_bound(&out, j);
	if (c->throttled_ns.known && !c->throttled_ns.value) {
		strbuf_addstr(&out, ", and the kernel never throttled it");
	} else if (c->throttled_ns.known) {
		strbuf_addstr(&out, ", and the kernel throttled it for ");
		text_add_duration(&out, c->throttled_ns.value);
	}
	words_add_cpus(&out, j, c->step, &c->cpus);
	judge_fail(j, s, &value, "%s", strbuf_str(&out));
}

/* The window does not begin where a period does: at each end it may hold the use of one more. */
static void at_most_quota(struct judge *j, const struct rec_cgroup *c, const struct subject *s)
{
	double value, periods;

	if (!has_quota(j, c, s))
		return;
	periods = periods_of(c);
	value = 100 * ((double)c->usage_ns.value / (double)c->quota_ns - 2) / periods;
	if (value < 0)
		value = 0;
	if (judge_weigh(j, s, value, j->desk.demand->demand.bound))
		explain_quota(j, c, s, value);
}

void judge_quota_percent(struct judge *j)
{
	each_cgroup(j, at_most_quota);
}

/* Workers of other cgroups that want the same CPUs. */
static size_t rivals_of(const struct judge *j, const struct rec_cgroup *c)
{
	size_t nr = 0;

	for (size_t i = 0; i < j->r->nr_workers; i++) {
		const struct rec_worker *w = &j->r->workers[i];

		nr += w->row && w->step == c->step && !is_inside(w->cgroup, c) && !w->frozen &&
		      cpuset_overlaps(&w->allowed, &c->cpus);
	}
	return nr;
}

static void at_least_quota(struct judge *j, const struct rec_cgroup *c, const struct subject *s)
{
	double value, periods, cpus = cpuset_count(&c->cpus), rate;

	if (!has_quota(j, c, s))
		return;
	rate = (double)c->quota_ns / (double)c->period_ns;
	periods = periods_of(c);
	if (!c->busy)
		judge_pass_over(j, "it does not use all it may");
	else if (rate + (double)rivals_of(j, c) > cpus)
		judge_pass_over(j, "others want the same CPUs");
	else if (periods < 4)
		judge_pass_over(j, "its window is shorter than four periods");
	else {
		value = 100 * (double)c->usage_ns.value / (double)c->quota_ns / (periods - 2);
		if (judge_weigh(j, s, value, j->desk.demand->demand.bound))
			explain_quota(j, c, s, value);
	}
}

void judge_quota_use_percent(struct judge *j)
{
	each_cgroup(j, at_least_quota);
}

/* --- weights --- */

/* Those who share among them what there is, cgroups or rows. */
enum { SHARERS = 128 };

/* One of them is a cgroup or a row. */
struct sharer {
	const struct rec_cgroup *cgroup;
	const struct rec_row *row;
	double weight, used_ns;
};

struct sharers {
	struct sharer items[SHARERS];
	size_t nr;
	double weight, used_ns;
	uint64_t step;
	const struct cpuset *cpus;
	char unknown[96];
};

static void add_sharer(struct sharers *all, const struct sharer *sharer)
{
	if (all->nr == SHARERS)
		return;
	all->items[all->nr++] = *sharer;
	all->weight += sharer->weight;
	all->used_ns += sharer->used_ns;
}

static void add_sharer_name(struct strbuf *out, const struct judge *j, const struct sharer *sharer)
{
	if (sharer->row) {
		words_add_row(out, sharer->row);
		strbuf_addf(out, " with nice %lld", (long long)sharer->row->nice);
		return;
	}
	add_cgroup(out, j, sharer->cgroup);
	if (sharer->cgroup->weight.value)
		strbuf_addf(out, " of weight %llu",
			    (unsigned long long)sharer->cgroup->weight.value);
	else
		strbuf_addstr(out, " with cpu.idle");
}

static void add_others(struct strbuf *out, const struct judge *j, const struct sharers *all,
		       const struct sharer *worst)
{
	size_t shown = 0;

	for (size_t i = 0; i < all->nr && shown < ROWS_SHOWN; i++) {
		if (&all->items[i] == worst)
			continue;
		strbuf_addstr(out, shown++ ? ", " : "; ");
		add_sharer_name(out, j, &all->items[i]);
		strbuf_addf(out, " got %.1f ms", all->items[i].used_ns / NSEC_PER_MSEC);
	}
}

static void explain_weights(struct judge *j, const struct sharers *all, const struct sharer *worst,
			    const struct subject *s, double value)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;

	add_sharer_name(&out, j, worst);
	strbuf_addf(&out,
		    " got %.1f ms of the %.1f ms of CPU time that %zu shared; its weight gives it "
		    "%.1f ms, from which that is %.3g %% off",
		    worst->used_ns / NSEC_PER_MSEC, all->used_ns / NSEC_PER_MSEC, all->nr,
		    all->used_ns * worst->weight / all->weight / NSEC_PER_MSEC, value);
	words_add_bound(&out, j);
	add_others(&out, j, all, worst);
	words_add_cpus(&out, j, all->step, all->cpus);
	judge_fail(j, s, &value, "%s", strbuf_str(&out));
}

/* The one that is furthest from its due; a slice of time at each end of the window is nothing. */
static void weigh_sharers(struct judge *j, const struct sharers *all, const struct subject *s)
{
	const struct sharer *worst = NULL;
	double value = 0;

	for (size_t i = 0; i < all->nr; i++) {
		const struct sharer *sharer = &all->items[i];
		double due = all->used_ns * sharer->weight / all->weight;
		double off = fabs(sharer->used_ns - due) - 2 * SLICE_NS;
		double error = off > 0 && due > 0 ? 100 * off / due : 0;

		if (worst && error <= value)
			continue;
		worst = sharer;
		value = error;
	}
	if (worst && judge_weigh(j, s, value, j->desk.demand->demand.bound))
		explain_weights(j, all, worst, s, value);
}

static void conclude_sharers(struct judge *j, const struct sharers *all, const struct subject *s)
{
	if (all->unknown[0])
		judge_undecided(j, s, "weight or CPU time of %s is not known", all->unknown);
	else if (all->nr < 2 || all->weight <= 0)
		judge_pass_over(j, "nobody shares its CPUs and is as busy");
	else if (all->used_ns < SHARED_MIN_NS)
		judge_undecided(j, s, "they used only %.1f ms of CPU time together",
				all->used_ns / NSEC_PER_MSEC);
	else
		weigh_sharers(j, all, s);
}

static bool are_siblings(const struct rec_cgroup *a, const struct rec_cgroup *b)
{
	return a->step == b->step && !strcmp(a->parent, b->parent) && b->busy && !b->frozen &&
	       !b->quota_ns && memcmp(&a->cpus, &b->cpus, sizeof(a->cpus)) == 0;
}

static bool is_first_of_its_siblings(const struct judge *j, const struct rec_cgroup *c)
{
	for (const struct rec_cgroup *other = j->r->cgroups; other < c; other++)
		if (are_siblings(c, other))
			return false;
	return true;
}

static void siblings(struct judge *j, const struct rec_cgroup *c, const struct subject *s)
{
	bool all_siblings = !j->desk.demand->demand.cgroup;
	struct sharers all = { .step = c->step, .cpus = &c->cpus };

	if (!c->busy || c->quota_ns || (all_siblings && !is_first_of_its_siblings(j, c))) {
		judge_pass_over(j, "nobody shares its CPUs and is as busy");
		return;
	}
	for (size_t i = 0; i < j->r->nr_cgroups; i++) {
		const struct rec_cgroup *other = &j->r->cgroups[i];

		if (!are_siblings(c, other))
			continue;
		if (!other->usage_ns.known || !other->weight.known)
			snprintf(all.unknown, sizeof(all.unknown), "cgroup %s", other->cgroup);
		add_sharer(&all, &(struct sharer){ .cgroup = other,
						   .weight = other->weight.value
								     ? (double)other->weight.value
								     : 300.0 / 1024,
						   .used_ns = (double)other->usage_ns.value });
	}
	conclude_sharers(j, &all, s);
}

/* Rows of one cgroup whose workers all want the same CPUs, more of them than there are CPUs. */
static bool may_share(const struct rec_row *a, const struct rec_row *b)
{
	bool ordinary = !strcmp(b->policy, "normal") || !strcmp(b->policy, "batch");

	return a->step == b->step && !strcmp(a->cgroup, b->cgroup) && b->busy && b->workers &&
	       ordinary && strcmp(b->type, "nice_sweep") != 0 && strcmp(b->type, "rt_hog") != 0 &&
	       strcmp(b->type, "policy_churn") != 0;
}

static void add_row(const struct judge *j, const struct rec_row *row, const struct cpuset *cpus,
		    struct sharers *all)
{
	struct sharer sharer = { .row = row };

	for (uint64_t i = 0; i < row->workers; i++) {
		const struct rec_worker *w = row->slots[i];

		if (!w || !w->cpu_ns.known || w->frozen || w->state != WORKER_RUNNING ||
		    memcmp(&w->allowed, cpus, sizeof(*cpus)) != 0) {
			snprintf(all->unknown, sizeof(all->unknown), "%s/%u", row->work,
				 (unsigned int)i);
			return;
		}
		sharer.weight += judge_weight(j, w);
		sharer.used_ns += (double)w->cpu_ns.value;
	}
	add_sharer(all, &sharer);
}

static void rows_of_cgroup(struct judge *j, const struct rec_row *row, const struct subject *s)
{
	const struct rec_worker *w = row->slots[0];
	struct sharers all = { .step = row->step, .cpus = &w->allowed };
	bool differ = false;

	for (size_t i = 0; i < j->r->nr_rows; i++) {
		const struct rec_row *other = &j->r->rows[i];

		if (!may_share(row, other))
			continue;
		if (other < row)
			return;
		differ |= other->nice != row->nice;
		/* More than one CPU each cannot be had, whatever the weight. */
		if (other->workers < cpuset_count(&w->allowed))
			return;
		add_row(j, other, &w->allowed, &all);
	}
	if (differ)
		conclude_sharers(j, &all, s);
}

void judge_weight_error_percent(struct judge *j)
{
	each_cgroup(j, siblings);
	if (!j->desk.demand->demand.cgroup)
		judge_each_row(j, rows_of_cgroup);
}
