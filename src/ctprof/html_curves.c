// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "ctprof/html.h"
#include "ctprof/names.h"

enum { CURVES_METRICS = 16 };

/* What people look at over time, if they do not say. */
static const char default_metrics[] =
	"run_time_ns,wait_time_ns,timeslices,voluntary_csw,nonvoluntary_csw,nr_migrations,minflt,"
	"majflt,read_bytes,write_bytes,rchar_bytes,wchar_bytes,allocated_bytes,cpu_efficiency";

struct point {
	double value;
	bool there;
};

/* A group of the page, found again in each step by what its label is like. */
struct key {
	char *text;
	uint32_t tid;
	size_t group;
};

struct block_curves {
	struct key *keys; /* sorted */
	size_t nr;
	struct point *points; /* of [group][metric][step] */
};

struct html_curves {
	size_t nr_steps, nr_metrics, nr_blocks;
	double *times; /* seconds from the first moment to the end of each step */
	unsigned int metrics[CURVES_METRICS];
	struct block_curves *blocks;
};

static int compare_keys(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	int order = strcmp(x->text, y->text);

	return order ? order : x->tid < y->tid ? -1 : x->tid > y->tid;
}

/* A step in which one worker ran alone has its name where the page has the pattern. */
static char *key_text(const struct html *h, const struct ktstr_ctprof_block *block,
		      const struct ktstr_ctprof_group *group)
{
	const struct ktstr_ctprof_compare_opts *opts = h->opts.compare;
	bool exact = block->by == KTSTR_CTPROF_BY_NAME || block->by == KTSTR_CTPROF_BY_TASK ||
		     (opts && (block->by == KTSTR_CTPROF_BY_CGROUP ? opts->no_cgroup_patterns
								   : opts->no_thread_patterns));
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	names_pattern(&text,
		      exact				    ? NAMES_EXACT
		      : block->by == KTSTR_CTPROF_BY_CGROUP ? NAMES_CGROUP
							    : NAMES_THREAD,
		      group->label);
	return strbuf_take(&text);
}

static int prepare_block(const struct html *h, size_t index)
{
	const struct ktstr_ctprof_block *block = &h->comparison->blocks[index];
	struct block_curves *b = &h->curves->blocks[index];
	size_t nr = html_groups(h, block);

	if (nr > KTSTR_CTPROF_HTML_CHARTS)
		nr = KTSTR_CTPROF_HTML_CHARTS;
	b->keys = calloc(nr + 1, sizeof(*b->keys));
	b->points = calloc(nr * CURVES_METRICS * h->curves->nr_steps + 1, sizeof(*b->points));
	if (!b->keys || !b->points)
		return -ENOMEM;
	for (b->nr = 0; b->nr < nr; b->nr++) {
		struct key *key = &b->keys[b->nr];

		key->group = b->nr;
		key->tid = block->groups[b->nr].tid;
		key->text = key_text(h, block, &block->groups[b->nr]);
		if (!key->text)
			return -ENOMEM;
	}
	qsort(b->keys, nr, sizeof(*b->keys), compare_keys);
	return 0;
}

static size_t metric_index(struct html_curves *c, unsigned int metric)
{
	size_t i = 0;

	while (i < c->nr_metrics && c->metrics[i] != metric)
		i++;
	if (i == c->nr_metrics && i < CURVES_METRICS)
		c->metrics[c->nr_metrics++] = metric;
	return i;
}

static struct point point_of(const struct ktstr_ctprof_column *column,
			     const struct ktstr_ctprof_cell *cell)
{
	bool derived = column->kind == KTSTR_CTPROF_KIND_DERIVED;

	if (cell->mark == KTSTR_CTPROF_MARK_IMPOSSIBLE)
		return (struct point){ 0 };
	if (!derived && column->info->type == KTSTR_TYPE_COUNTER)
		return (struct point){ cell->delta, cell->has_delta };
	if (derived && cell->between.there)
		return (struct point){ cell->between.number, true };
	return (struct point){ cell->sides[1].number, cell->sides[1].there };
}

static bool has_curve(const struct ktstr_ctprof_column *column)
{
	enum ktstr_metric_type type = column->info->type;

	return (column->kind == KTSTR_CTPROF_KIND_THREAD ||
		column->kind == KTSTR_CTPROF_KIND_DERIVED ||
		column->kind == KTSTR_CTPROF_KIND_CGROUP) &&
	       (type == KTSTR_TYPE_COUNTER || type == KTSTR_TYPE_PEAK || type == KTSTR_TYPE_GAUGE);
}

static void take_group(struct html_curves *c, struct block_curves *b, size_t group, size_t step,
		       const struct ktstr_ctprof_block *from, const struct ktstr_ctprof_group *g)
{
	for (size_t i = 0; i < from->nr_columns; i++) {
		size_t metric = has_curve(&from->columns[i])
					? metric_index(c, html_metric(&from->columns[i]))
					: CURVES_METRICS;

		if (metric < CURVES_METRICS)
			b->points[(group * CURVES_METRICS + metric) * c->nr_steps + step] =
				point_of(&from->columns[i], &g->cells[i]);
	}
}

static int take_block(const struct html *h, size_t index, size_t step,
		      const struct ktstr_ctprof_block *from)
{
	struct block_curves *b = &h->curves->blocks[index];

	for (size_t i = 0; i < from->nr_groups; i++) {
		_cleanup_free_ char *text = key_text(h, from, &from->groups[i]);
		struct key wanted = { .text = text, .tid = from->groups[i].tid };
		const struct key *found;

		if (!text)
			return -ENOMEM;
		found = bsearch(&wanted, b->keys, b->nr, sizeof(*b->keys), compare_keys);
		if (found)
			take_group(h->curves, b, found->group, step, from, &from->groups[i]);
	}
	return 0;
}

static int take_step(const struct html *h, size_t step, const struct ktstr_ctprof *from,
		     const struct ktstr_ctprof *to)
{
	_cleanup_ctprof_comparison_ struct ktstr_ctprof_comparison *c = NULL;
	const struct ktstr_ctprof_side before = { .snapshot = from }, after = { .snapshot = to };
	struct ktstr_ctprof_compare_opts opts = { 0 };
	int r;

	if (h->opts.compare)
		opts = *h->opts.compare;
	if (!opts.metrics)
		opts.metrics = default_metrics;
	opts.sections = 0;
	opts.sort = NULL;
	opts.per_second = true;
	r = ktstr_ctprof_compare(&before, &after, &opts, &c, NULL);
	if (r == -ENOMEM)
		return r;
	for (size_t i = 0; r == 0 && i < c->nr_blocks; i++)
		for (size_t b = 0; b < h->comparison->nr_blocks; b++)
			if (h->comparison->blocks[b].by == c->blocks[i].by &&
			    take_block(h, b, step, &c->blocks[i]) < 0)
				return -ENOMEM;
	return 0;
}

static int fill(const struct html *h, size_t stride)
{
	const struct ktstr_ctprof_series *s = h->opts.series;
	struct html_curves *c = h->curves;
	int r = 0;

	for (size_t i = 0; i < c->nr_blocks && r == 0; i++)
		r = prepare_block(h, i);
	for (size_t step = 0; step < c->nr_steps && r == 0; step++) {
		size_t from = step * stride;
		size_t to = from + stride < s->nr ? from + stride : s->nr - 1;

		c->times[step] = (double)(int64_t)(s->snapshots[to]->captured_at_unix_ns -
						   s->snapshots[0]->captured_at_unix_ns) /
				 1e9;
		r = take_step(h, step, s->snapshots[from], s->snapshots[to]);
	}
	return r;
}

int html_curves_create(struct html *h, struct ktstr_error *err)
{
	size_t steps = h->opts.series->nr - 1;
	size_t stride = (steps + KTSTR_CTPROF_HTML_POINTS - 1) / KTSTR_CTPROF_HTML_POINTS;
	struct html_curves *c = calloc(1, sizeof(*c));

	if (!c)
		return ktstr_error_nomem(err);
	c->nr_steps = (steps + stride - 1) / stride;
	c->nr_blocks = h->comparison->nr_blocks;
	c->times = calloc(c->nr_steps, sizeof(*c->times));
	c->blocks = calloc(c->nr_blocks + 1, sizeof(*c->blocks));
	h->curves = c;
	if (c->times && c->blocks && fill(h, stride) == 0)
		return 0;
	html_curves_destroy(c);
	h->curves = NULL;
	return ktstr_error_nomem(err);
}

void html_curves_destroy(struct html_curves *c)
{
	if (!c)
		return;
	for (size_t i = 0; c->blocks && i < c->nr_blocks; i++) {
		for (size_t k = 0; c->blocks[i].keys && k < c->blocks[i].nr; k++)
			free(c->blocks[i].keys[k].text);
		free(c->blocks[i].keys);
		free(c->blocks[i].points);
	}
	free(c->blocks);
	free(c->times);
	free(c);
}

static bool add_curve(const struct point *points, size_t nr, struct strbuf *out)
{
	bool any = false;

	for (size_t i = 0; i < nr; i++)
		any = any || points[i].there;
	if (!any)
		return false;
	for (size_t i = 0; i < nr; i++) {
		strbuf_addch(out, i ? ',' : '[');
		if (points[i].there)
			strbuf_addf(out, "%.5g", points[i].value);
		else
			strbuf_addstr(out, "null");
	}
	strbuf_addch(out, ']');
	return true;
}

bool html_add_curves(const struct html *h, size_t block, size_t group, struct strbuf *out)
{
	const struct html_curves *c = h->curves;
	bool any = false;

	if (!c || group >= c->blocks[block].nr)
		return false;
	for (size_t i = 0; i < c->nr_metrics; i++) {
		const struct point *points =
			c->blocks[block].points + (group * CURVES_METRICS + i) * c->nr_steps;
		_cleanup_strbuf_ struct strbuf curve = STRBUF_INIT;

		if (!add_curve(points, c->nr_steps, &curve))
			continue;
		strbuf_addf(out, "%s\"%u\":%s", any ? "," : ",\"curves\":{", c->metrics[i],
			    strbuf_str(&curve));
		any = true;
	}
	if (any)
		strbuf_addch(out, '}');
	return any;
}

void html_add_times(const struct html *h, struct strbuf *out)
{
	strbuf_addstr(out, "\"times\":[");
	for (size_t i = 0; h->curves && i < h->curves->nr_steps; i++)
		strbuf_addf(out, "%s%.3f", i ? "," : "", h->curves->times[i]);
	strbuf_addstr(out, "],\n");
}
