// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "check/demands.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "base/text.h"
#include <ktstr/test.h>

/* First in, first out with slices of 20 ms and four at each CPU keeps within these many times over; the
 * kernel's own scheduler left a CPU idle for 0.2 s when a hundred workers were let go at once. */
const struct ktstr_demand demands_built_in[] = {
	KTSTR_HOLDS(scheduler_alive),
	KTSTR_HOLDS(isolation),
	KTSTR_HOLDS(completion),
	KTSTR_HOLDS(step_ends),
	KTSTR_HOLDS(frozen),
	KTSTR_AT_LEAST(progress, 1),
	KTSTR_AT_MOST(gap_ns, SECS(1)),
	KTSTR_AT_MOST(wait_ns, SECS(1)),
	KTSTR_AT_MOST(idle_while_waiting_ns, MSECS(500)),
	{ 0 },
};

static void add_bound(struct strbuf *out, const struct ktstr_demand *demand)
{
	const struct ktstr_check_info *info = ktstr_check_info(demand->check);

	if (demand->off) {
		strbuf_addstr(out, "not demanded");
	} else if (info->relation == KTSTR_HOLDS_ALWAYS) {
		strbuf_addstr(out, "holds");
	} else {
		strbuf_addstr(out, info->relation == KTSTR_BOUND_ABOVE ? "at most " : "at least ");
		if (!strcmp(info->unit, "ns") && demand->bound < 1e18) {
			text_add_duration(out, (unsigned long long)demand->bound);
			return;
		}
		text_add_number(out, demand->bound);
		strbuf_addf(out, "%s%s", info->unit[0] == '/' ? "" : " ", info->unit);
	}
}

static void add_scope(struct strbuf *out, const struct ktstr_demand *demand)
{
	const char *lead = "";

	if (!demand->work && !demand->cgroup && !demand->step)
		strbuf_addstr(out, "all");
	if (demand->work) {
		strbuf_addf(out, "work %s", demand->work);
		lead = ", ";
	}
	if (demand->cgroup) {
		strbuf_addf(out, "%scgroup %s", lead, demand->cgroup);
		lead = ", ";
	}
	if (demand->step)
		strbuf_addf(out, "%sstep %s", lead, demand->step);
}

static void add_place(struct strbuf *out, const struct model_demand *row)
{
	strbuf_addf(out, "%s ", ktstr_check_info(row->demand.check)->name);
	add_bound(out, &row->demand);
	strbuf_addstr(out, " (");
	add_scope(out, &row->demand);
	strbuf_addf(out, "; %s)", row->from);
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool is_same(const struct ktstr_demand *a, const struct ktstr_demand *b)
{
	return a->check == b->check && same_text(a->work, b->work) &&
	       same_text(a->cgroup, b->cgroup) && same_text(a->step, b->step);
}

static bool may_mean_the_same(const struct ktstr_demand *a, const struct ktstr_demand *b)
{
	return (!a->work || !b->work || !strcmp(a->work, b->work)) &&
	       (!a->cgroup || !b->cgroup || !strcmp(a->cgroup, b->cgroup)) &&
	       (!a->step || !b->step || !strcmp(a->step, b->step));
}

static int contradiction(const struct model_demand *a, const struct model_demand *b,
			 struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	add_place(&text, a);
	strbuf_addstr(&text, " contradicts ");
	add_place(&text, b);
	return ktstr_error_set(err, -EINVAL, "%s: change one of them", strbuf_str(&text));
}

static int check_row(const struct model_demand *row, struct ktstr_error *err)
{
	const struct ktstr_check_info *info = ktstr_check_info(row->demand.check);

	if (!info)
		return ktstr_error_set(err, -EINVAL, "a demand of layer '%s' is of no check",
				       row->from);
	if (!row->demand.off && info->relation != KTSTR_HOLDS_ALWAYS &&
	    (!isfinite(row->demand.bound) || row->demand.bound < 0))
		return ktstr_error_set(err, -EINVAL,
				       "%s of layer '%s': the bound %g is not a number from 0 on",
				       info->name, row->from, row->demand.bound);
	return 0;
}

struct merge {
	struct model_demand *rows;
	size_t nr;
	size_t layer_first; /* rows from here on are of the layer that is merged now */
};

static int merge_row(struct merge *m, const struct model_demand *row, struct ktstr_error *err)
{
	int result = check_row(row, err);

	if (result < 0)
		return result;
	for (size_t i = 0; i < m->nr; i++) {
		if (!is_same(&m->rows[i].demand, &row->demand))
			continue;
		if (i >= m->layer_first && (m->rows[i].demand.off != row->demand.off ||
					    m->rows[i].demand.bound != row->demand.bound))
			return contradiction(&m->rows[i], row, err);
		memmove(&m->rows[i], &m->rows[i + 1], (--m->nr - i) * sizeof(*m->rows));
		if (i < m->layer_first)
			m->layer_first--;
		break;
	}
	if (m->nr == MODEL_DEMANDS)
		return ktstr_error_set(err, -E2BIG, "more than %d demands", MODEL_DEMANDS);
	m->rows[m->nr++] = *row;
	return 0;
}

/* Does it take back, for some, what a row that names less demands of all? */
static bool is_exception(const struct merge *m, const struct ktstr_demand *off)
{
	for (size_t i = 0; i < m->nr; i++) {
		const struct ktstr_demand *other = &m->rows[i].demand;

		if (!other->off && other->check == off->check && may_mean_the_same(other, off) &&
		    !is_same(other, off))
			return true;
	}
	return false;
}

static void drop_idle_exceptions(struct merge *m)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->nr; i++)
		if (!m->rows[i].demand.off || is_exception(m, &m->rows[i].demand))
			m->rows[kept++] = m->rows[i];
	m->nr = kept;
}

/* One must stay below what the other must reach. */
static const struct {
	enum ktstr_check_id least, most;
} pairs[] = {
	{ KTSTR_JUDGE_cpu_share_percent, KTSTR_JUDGE_cpu_share_max_percent },
	{ KTSTR_JUDGE_quota_use_percent, KTSTR_JUDGE_quota_percent },
};

static bool contradict(const struct ktstr_demand *a, const struct ktstr_demand *b)
{
	if (a->off || b->off || !may_mean_the_same(a, b))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		if (a->check == pairs[i].least && b->check == pairs[i].most && a->bound > b->bound)
			return true;
	return false;
}

static int check_pairs(const struct merge *m, struct ktstr_error *err)
{
	for (size_t i = 0; i < m->nr; i++)
		for (size_t k = 0; k < m->nr; k++)
			if (contradict(&m->rows[i].demand, &m->rows[k].demand))
				return contradiction(&m->rows[i], &m->rows[k], err);
	return 0;
}

int demands_merge(const struct demand_layer *layers, size_t nr_layers,
		  struct model_demand *ret_demands, size_t *ret_nr, struct ktstr_error *err)
{
	struct model_demand rows[MODEL_DEMANDS];
	struct merge m = { .rows = rows };
	int result;

	for (size_t i = 0; i < nr_layers; i++) {
		const struct demand_layer *layer = &layers[i];

		m.layer_first = m.nr;
		for (size_t k = 0; k < layer->nr && layer->rows[k].check; k++) {
			result = merge_row(
				&m, &(struct model_demand){ layer->rows[k], layer->name }, err);
			if (result < 0)
				return result;
		}
	}
	drop_idle_exceptions(&m);
	result = check_pairs(&m, err);
	if (result < 0)
		return result;
	memcpy(ret_demands, rows, m.nr * sizeof(*rows));
	*ret_nr = m.nr;
	return 0;
}

int demands_print(const struct model_demand *demands, size_t nr, char **ret_text)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT, bound = STRBUF_INIT, scope = STRBUF_INIT;
	char *text;

	for (size_t i = 0; i < nr; i++) {
		strbuf_clear(&bound);
		strbuf_clear(&scope);
		add_bound(&bound, &demands[i].demand);
		add_scope(&scope, &demands[i].demand);
		strbuf_addf(&out, "%-22s %-20s %-24s from %s\n",
			    ktstr_check_info(demands[i].demand.check)->name, strbuf_str(&bound),
			    strbuf_str(&scope), demands[i].from);
	}
	text = strbuf_take(&out);
	if (!text)
		return -ENOMEM;
	*ret_text = text;
	return 0;
}
