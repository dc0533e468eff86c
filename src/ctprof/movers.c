// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <ktstr/ctprof_movers.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* A thread of either capture, or of both. */
struct pair {
	const struct ktstr_ctprof_thread *older, *newer;
};

struct made {
	struct ktstr_ctprof_movers movers;
	struct ktstr_ctprof_mover *rows;
	struct ktstr_ctprof_mover_cell *cells;
};

static const struct ktstr_ctprof_thread *any_of(const struct pair *p)
{
	return p->newer ? p->newer : p->older;
}

static int compare_ids(const struct ktstr_ctprof_thread *a, const struct ktstr_ctprof_thread *b)
{
	if (a->tgid != b->tgid)
		return a->tgid < b->tgid ? -1 : 1;
	return a->tid < b->tid ? -1 : a->tid > b->tid;
}

static bool is_same(const struct ktstr_ctprof_thread *a, const struct ktstr_ctprof_thread *b)
{
	int64_t x, y;

	return ktstr_ctprof_get(a, KTSTR_CTPROF_START_TIME, &x) &&
	       ktstr_ctprof_get(b, KTSTR_CTPROF_START_TIME, &y) && x == y;
}

/* Both captures are sorted by ids.  Return: how many pairs. */
static size_t pair_threads(const struct ktstr_ctprof *older, const struct ktstr_ctprof *newer,
			   struct pair *pairs)
{
	size_t i = 0, j = 0, nr = 0;

	while (i < older->nr_threads || j < newer->nr_threads) {
		const struct ktstr_ctprof_thread *a = NULL, *b = NULL;
		int order;

		if (i < older->nr_threads)
			a = &older->threads[i];
		if (j < newer->nr_threads)
			b = &newer->threads[j];
		order = !a ? 1 : !b ? -1 : compare_ids(a, b);
		i += order <= 0;
		j += order >= 0;
		if (order == 0 && is_same(a, b)) {
			pairs[nr++] = (struct pair){ a, b };
			continue;
		}
		if (order <= 0)
			pairs[nr++] = (struct pair){ .older = a };
		if (order >= 0)
			pairs[nr++] = (struct pair){ .newer = b };
	}
	return nr;
}

static const char *text_of(const struct pair *p, enum ktstr_ctprof_text text)
{
	return any_of(p)->texts[text];
}

static int compare_texts(const struct pair *a, const struct pair *b, enum ktstr_ctprof_text text)
{
	const char *x = text_of(a, text), *y = text_of(b, text);

	if (!x || !y)
		return !x - !y;
	return strcmp(x, y);
}

static int compare_by_name(const void *a, const void *b)
{
	return compare_texts(a, b, KTSTR_CTPROF_TEXT_PCOMM);
}

static int compare_by_cgroup(const void *a, const void *b)
{
	return compare_texts(a, b, KTSTR_CTPROF_TEXT_CGROUP);
}

static bool in_one_row(const struct pair *a, const struct pair *b, enum ktstr_ctprof_movers_by by)
{
	switch (by) {
	case KTSTR_CTPROF_MOVERS_BY_PROCESS:
		return any_of(a)->tgid == any_of(b)->tgid;
	case KTSTR_CTPROF_MOVERS_BY_NAME:
		return compare_by_name(a, b) == 0;
	case KTSTR_CTPROF_MOVERS_BY_CGROUP:
		return compare_by_cgroup(a, b) == 0;
	default:
		return false;
	}
}

/* What a thread adds to a cell.  Return: false if that is absent. */
static bool moved(const struct pair *p, unsigned int metric, int64_t born_from, int64_t *ret_value)
{
	int64_t before, start;

	if (!p->newer || !ktstr_ctprof_get(p->newer, metric, ret_value))
		return false;
	if (ktstr_ctprof_metric_info(metric)->type != KTSTR_TYPE_COUNTER)
		return true;
	if (!p->older)
		return born_from != INT64_MAX &&
		       ktstr_ctprof_get(p->newer, KTSTR_CTPROF_START_TIME, &start) &&
		       start >= born_from;
	if (!ktstr_ctprof_get(p->older, metric, &before) || before > *ret_value)
		return false;
	*ret_value -= before;
	return true;
}

static void add(struct ktstr_ctprof_mover_cell *cell, unsigned int metric, int64_t value)
{
	if (ktstr_ctprof_metric_info(metric)->aggregate != KTSTR_AGGREGATE_SUM)
		cell->value = !cell->threads || value > cell->value ? value : cell->value;
	else if (__builtin_add_overflow(cell->value, value, &cell->value))
		cell->value = INT64_MAX;
	cell->threads++;
}

static void name_row(struct ktstr_ctprof_mover *row, const struct pair *p,
		     enum ktstr_ctprof_movers_by by)
{
	static const enum ktstr_ctprof_text texts[] = {
		[KTSTR_CTPROF_MOVERS_BY_PROCESS] = KTSTR_CTPROF_TEXT_PCOMM,
		[KTSTR_CTPROF_MOVERS_BY_THREAD] = KTSTR_CTPROF_TEXT_COMM,
		[KTSTR_CTPROF_MOVERS_BY_NAME] = KTSTR_CTPROF_TEXT_PCOMM,
		[KTSTR_CTPROF_MOVERS_BY_CGROUP] = KTSTR_CTPROF_TEXT_CGROUP,
	};

	/* A process that called exec() has its new name. */
	if (!row->name || (p->newer && !row->threads))
		row->name = text_of(p, texts[by]);
	if (by == KTSTR_CTPROF_MOVERS_BY_PROCESS || by == KTSTR_CTPROF_MOVERS_BY_THREAD)
		row->tgid = any_of(p)->tgid;
	if (by == KTSTR_CTPROF_MOVERS_BY_THREAD)
		row->tid = any_of(p)->tid;
}

static void add_thread(struct made *m, struct ktstr_ctprof_mover *row, const struct pair *p,
		       const struct ktstr_ctprof_movers_opts *opts)
{
	struct ktstr_ctprof_mover_cell *cells =
		m->cells + (size_t)(row - m->rows) * opts->nr_metrics;
	int64_t value;

	name_row(row, p, opts->by);
	row->threads += p->newer != NULL;
	row->threads_new += !p->older;
	row->threads_gone += !p->newer;
	for (size_t i = 0; i < opts->nr_metrics; i++)
		if (moved(p, opts->metrics[i], opts->born_from_ticks, &value))
			add(&cells[i], opts->metrics[i], value);
}

static void fill(struct made *m, const struct pair *pairs, size_t nr,
		 const struct ktstr_ctprof_movers_opts *opts)
{
	struct ktstr_ctprof_mover *row = NULL;

	for (size_t i = 0; i < nr; i++) {
		if (!row || !in_one_row(&pairs[i - 1], &pairs[i], opts->by)) {
			row = &m->rows[m->movers.nr_rows];
			row->cells = m->cells + m->movers.nr_rows++ * opts->nr_metrics;
		}
		add_thread(m, row, &pairs[i], opts);
		m->movers.threads += pairs[i].newer != NULL;
		m->movers.threads_new += !pairs[i].older;
		m->movers.threads_gone += !pairs[i].newer;
	}
	m->movers.rows = m->rows;
}

static int check_metrics(const struct ktstr_ctprof_movers_opts *opts, struct ktstr_error *err)
{
	if (!opts->nr_metrics || opts->nr_metrics > KTSTR_CTPROF_MOVERS_METRICS)
		return ktstr_error_set(err, -EINVAL, "%zu metrics are not 1 to %d",
				       opts->nr_metrics, KTSTR_CTPROF_MOVERS_METRICS);
	for (size_t i = 0; i < opts->nr_metrics; i++) {
		const struct ktstr_metric_info *info = ktstr_ctprof_metric_info(opts->metrics[i]);

		if (!info)
			return ktstr_error_set(err, -EINVAL, "no metric %u", opts->metrics[i]);
		if (info->type != KTSTR_TYPE_COUNTER && info->type != KTSTR_TYPE_PEAK &&
		    info->type != KTSTR_TYPE_GAUGE)
			return ktstr_error_set(err, -EINVAL,
					       "'%s' is a value of type %s, which does not move: "
					       "name a counter, a peak or a gauge",
					       info->name, ktstr_metric_type_name(info->type));
	}
	return 0;
}

int ktstr_ctprof_movers_create(const struct ktstr_ctprof *older, const struct ktstr_ctprof *newer,
			       const struct ktstr_ctprof_movers_opts *opts,
			       struct ktstr_ctprof_movers **ret_movers, struct ktstr_error *err)
{
	size_t most = older->nr_threads + newer->nr_threads, nr;
	_cleanup_free_ struct pair *pairs = NULL;
	_cleanup_movers_ struct ktstr_ctprof_movers *movers = NULL;
	struct made *m;
	int r = check_metrics(opts, err);

	if (r < 0)
		return r;
	m = calloc(1, sizeof(*m));
	if (!m)
		return ktstr_error_nomem(err);
	movers = &m->movers;
	pairs = calloc(most + 1, sizeof(*pairs));
	if (!pairs)
		return ktstr_error_nomem(err);
	nr = pair_threads(older, newer, pairs);
	m->rows = calloc(nr + 1, sizeof(*m->rows));
	m->cells = calloc(nr * opts->nr_metrics + 1, sizeof(*m->cells));
	if (!m->rows || !m->cells)
		return ktstr_error_nomem(err);
	if (opts->by == KTSTR_CTPROF_MOVERS_BY_NAME)
		qsort(pairs, nr, sizeof(*pairs), compare_by_name);
	else if (opts->by == KTSTR_CTPROF_MOVERS_BY_CGROUP)
		qsort(pairs, nr, sizeof(*pairs), compare_by_cgroup);
	fill(m, pairs, nr, opts);
	*ret_movers = take_ptr(movers);
	return 0;
}

void ktstr_ctprof_movers_destroy(struct ktstr_ctprof_movers *movers)
{
	struct made *m = (struct made *)movers;

	if (!m)
		return;
	free(m->rows);
	free(m->cells);
	free(m);
}
