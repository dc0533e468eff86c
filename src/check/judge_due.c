// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <math.h>
#include <string.h>

#include "check/judge_private.h"

/*
 * What nice values weigh: each step is 1.25 times the next.
 * Source: sched_prio_to_weight[] in kernel/sched/core.c of Linux.
 */
static const double nice_weights[40] = {
	88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916,
	9548,  7620,  6100,  4904,  3906,  3121,  2501,	 1991,	1586,  1277,
	1024,  820,   655,   526,   423,   335,	  272,	 215,	172,   137,
	110,   87,    70,    56,    45,	   36,	  29,	 23,	18,    15,
};

#define WEIGHT_IDLE 3.0 /* WEIGHT_IDLEPRIO in kernel/sched/sched.h */

/* An ordinary worker among no more than that many per CPU is served within any bound that is built in. */
#define FEW_PER_CPU 25
/* Real-time workers may leave others a twentieth of a second, once a second (the fair server). */
#define BELOW_REALTIME 4.0

bool cpuset_overlaps(const struct cpuset *a, const struct cpuset *b)
{
	for (int i = 0; i < CPUSET_WORDS; i++)
		if (a->bits[i] & b->bits[i])
			return true;
	return false;
}

static const struct rec_cgroup *cgroup_of(const struct judge *j, uint64_t step, const char *name,
					  size_t len)
{
	for (size_t i = 0; i < j->r->nr_cgroups; i++) {
		const struct rec_cgroup *c = &j->r->cgroups[i];

		if (c->step == step && strlen(c->cgroup) == len && !memcmp(c->cgroup, name, len))
			return c;
	}
	return NULL;
}

/* Calls @fn for the worker's cgroup and those above it, as far as they are known. */
static void each_cgroup_above(const struct judge *j, const struct rec_worker *w,
			      void (*fn)(const struct rec_cgroup *cgroup, void *arg), void *arg)
{
	size_t len = strlen(w->cgroup);

	for (; len; len--) {
		const struct rec_cgroup *c;

		if (w->cgroup[len] && w->cgroup[len] != '/')
			continue;
		c = cgroup_of(j, w->step, w->cgroup, len);
		if (c)
			fn(c, arg);
	}
}

static void multiply_weight(const struct rec_cgroup *cgroup, void *arg)
{
	double *weight = arg;

	/* cpu.idle is shown as a weight of 0. */
	if (cgroup->weight.known)
		*weight *= cgroup->weight.value ? (double)cgroup->weight.value / 100
						: WEIGHT_IDLE / 1024;
}

static bool is_type(const struct rec_row *row, const char *type)
{
	return !strcmp(row->type, type);
}

static bool is_policy(const struct rec_row *row, const char *policy)
{
	return !strncmp(row->policy, policy, strlen(policy));
}

static bool is_realtime(const struct rec_row *row)
{
	return is_policy(row, "fifo") || is_policy(row, "rr") || is_policy(row, "deadline") ||
	       is_type(row, "rt_hog");
}

static double nice_weight(int64_t nice)
{
	return nice_weights[nice < -20 ? 0 : nice > 19 ? 39 : nice + 20];
}

/* Workers that change their own weight count as the least they come to, and as rivals the most. */
static double row_weight(const struct rec_row *row, bool as_rival)
{
	if (is_type(row, "nice_sweep"))
		return nice_weight(as_rival ? -20 : 19);
	if (is_type(row, "inversion"))
		return nice_weight(as_rival ? -10 : 19);
	if (is_type(row, "policy_churn") && !as_rival)
		return WEIGHT_IDLE;
	return is_policy(row, "idle") ? WEIGHT_IDLE : nice_weight(row->nice);
}

double judge_weight(const struct judge *j, const struct rec_worker *w)
{
	double weight = row_weight(w->row, false);

	each_cgroup_above(j, w, multiply_weight, &weight);
	return weight;
}

struct quota {
	double factor;
	uint32_t nr_cpus;
};

static void multiply_quota(const struct rec_cgroup *cgroup, void *arg)
{
	struct quota *quota = arg;
	double factor;

	if (!cgroup->quota_ns)
		return;
	factor = quota->nr_cpus * (double)cgroup->period_ns / (double)cgroup->quota_ns;
	if (factor > quota->factor)
		quota->factor = factor;
}

static double quota_factor(const struct judge *j, const struct rec_worker *w)
{
	struct quota quota = { 0, cpuset_count(&w->allowed) };

	each_cgroup_above(j, w, multiply_quota, &quota);
	return quota.factor;
}

bool judge_has_quota(const struct judge *j, const struct rec_worker *w)
{
	return quota_factor(j, w) > 0;
}

static bool is_above(const struct rec_row *rival, const struct rec_row *row)
{
	return (is_realtime(rival) && !is_realtime(row)) ||
	       (is_policy(row, "ext") && !is_policy(rival, "ext"));
}

struct rivals {
	double nr, realtime, weight;
	bool above;
};

static void add_rival(const struct judge *j, const struct rec_worker *w,
		      const struct rec_worker *other, struct rivals *rivals)
{
	double weight = row_weight(other->row, true);

	if (other == w || other->step != w->step || other->frozen ||
	    !cpuset_overlaps(&other->allowed, &w->allowed))
		return;
	each_cgroup_above(j, other, multiply_weight, &weight);
	rivals->nr++;
	if (weight > rivals->weight)
		rivals->weight = weight;
	if (is_above(other->row, w->row))
		rivals->above = true;
	rivals->realtime += is_realtime(other->row);
}

double judge_patience(const struct judge *j, const struct rec_worker *w)
{
	uint32_t nr_cpus = cpuset_count(&w->allowed);
	double weight = judge_weight(j, w), quota = quota_factor(j, w), patience = 1;
	struct rivals rivals = { .nr = 1 };

	for (size_t i = 0; i < j->r->nr_workers; i++)
		if (j->r->workers[i].row)
			add_rival(j, w, &j->r->workers[i], &rivals);
	if (!nr_cpus || is_policy(w->row, "deadline") ||
	    (is_realtime(w->row) && rivals.realtime >= nr_cpus))
		return INFINITY;
	if (rivals.nr / nr_cpus > FEW_PER_CPU)
		patience *= rivals.nr / nr_cpus / FEW_PER_CPU;
	if (rivals.weight > weight)
		patience *= rivals.weight / weight;
	if (rivals.above)
		patience *= BELOW_REALTIME;
	return quota > 1 ? patience * quota : patience;
}

size_t judge_rivals(const struct judge *j, uint64_t step, const struct cpuset *cpus)
{
	size_t nr = 0;

	for (size_t i = 0; i < j->r->nr_workers; i++) {
		const struct rec_worker *w = &j->r->workers[i];

		nr += w->row && w->step == step && w->row->busy && !w->frozen &&
		      cpuset_overlaps(&w->allowed, cpus);
	}
	return nr;
}

/* Over the steps since then: what was due when it began to wait may have been less. */
static double patience_since(const struct judge *j, const struct rec_worker *w, uint64_t since_ns)
{
	double most = judge_patience(j, w);

	for (size_t i = 0; i < j->r->nr_workers; i++) {
		const struct rec_worker *before = &j->r->workers[i];
		double patience;

		if (!before->row || before->step >= w->step || before->end_ns <= since_ns ||
		    before->index != w->index || strcmp(before->work, w->work) != 0)
			continue;
		patience = judge_patience(j, before);
		most = patience > most ? patience : most;
	}
	return most;
}

bool judge_bound(const struct judge *j, const struct rec_worker *w, uint64_t begin_ns, uint64_t ns,
		 double *ret_bound)
{
	double bound = j->desk.demand->demand.bound;

	if (j->desk.demand->built_in && judge_breaks(j, (double)ns, bound))
		bound *= patience_since(j, w, begin_ns);
	*ret_bound = bound;
	return isfinite(bound);
}
