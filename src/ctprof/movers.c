// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <ktstr/ctprof_movers.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ctprof/compare.h"

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

/* A thread that is gone comes before the one that has its ids now. */
static int compare_by_id(const void *a, const void *b)
{
	const struct ktstr_ctprof_thread *x = any_of(a), *y = any_of(b);

	if (x->tgid != y->tgid)
		return x->tgid < y->tgid ? -1 : 1;
	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	return (((const struct pair *)a)->newer != NULL) -
	       (((const struct pair *)b)->newer != NULL);
}

/* Return: how many pairs, or -ENOMEM. */
static ssize_t pair_threads(const struct ktstr_ctprof *older, const struct ktstr_ctprof *newer,
			    struct pair *pairs)
{
	_cleanup_free_ bool *survives = calloc(older->nr_threads + 1, sizeof(*survives));
	_cleanup_free_ thread_ref *joined = survives ? join_threads(older, newer, survives) : NULL;
	ssize_t nr = 0;

	if (!joined)
		return -ENOMEM;
	for (size_t i = 0; i < newer->nr_threads; i++)
		pairs[nr++] = (struct pair){ joined[i], &newer->threads[i] };
	for (size_t i = 0; i < older->nr_threads; i++)
		if (!survives[i])
			pairs[nr++] = (struct pair){ .older = &older->threads[i] };
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
	static int (*const orders[])(const void *, const void *) = {
		[KTSTR_CTPROF_MOVERS_BY_PROCESS] = compare_by_id,
		[KTSTR_CTPROF_MOVERS_BY_THREAD] = compare_by_id,
		[KTSTR_CTPROF_MOVERS_BY_NAME] = compare_by_name,
		[KTSTR_CTPROF_MOVERS_BY_CGROUP] = compare_by_cgroup,
	};
	_cleanup_free_ struct pair *pairs = NULL;
	_cleanup_movers_ struct ktstr_ctprof_movers *movers = NULL;
	struct made *m;
	ssize_t nr = check_metrics(opts, err);

	if (nr < 0)
		return (int)nr;
	m = calloc(1, sizeof(*m));
	if (!m)
		return ktstr_error_nomem(err);
	movers = &m->movers;
	pairs = calloc(older->nr_threads + newer->nr_threads + 1, sizeof(*pairs));
	nr = pairs ? pair_threads(older, newer, pairs) : -ENOMEM;
	if (nr < 0)
		return ktstr_error_nomem(err);
	m->rows = calloc((size_t)nr + 1, sizeof(*m->rows));
	m->cells = calloc((size_t)nr * opts->nr_metrics + 1, sizeof(*m->cells));
	if (!m->rows || !m->cells)
		return ktstr_error_nomem(err);
	qsort(pairs, (size_t)nr, sizeof(*pairs), orders[opts->by]);
	fill(m, pairs, (size_t)nr, opts);
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
