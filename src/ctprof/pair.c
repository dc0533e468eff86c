// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Cgroups that are on one side only, paired by the kinds of threads in them: (name of process,
 * name of thread), both as patterns.  A container that was started again has another id, but does
 * the same things.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ctprof/compare.h"

enum { MIN_KINDS = 10 }; /* for names that are not alike */

/* Marks where a merged group went, until gaps are closed. */
#define PAIR_MERGED 0x80000000u

/* Names alike but for ids need less to be taken for the same. */
static const double MIN_ALIKE = 0.5, MIN_UNLIKE = 0.9;

struct loner {
	uint32_t group;
	uint64_t *kinds; /* sorted, distinct */
	size_t nr, size;
	uint32_t pattern; /* of its path, ids left out */
	uint32_t choices; /* among those that are looked at */
	bool paired;
};

struct loners {
	struct loner items[PAIR_MAX_LONERS];
	size_t nr;
	unsigned int side;
	uint32_t *index; /* by group: its place in items, or NAMES_NONE; borrowed */
};

struct candidate {
	double similarity;
	bool alike;   /* paths but for ids */
	size_t front; /* bytes of the folders they share */
	struct loner *before, *after;
};

static void loners_destroy(struct loners *l)
{
	for (size_t i = 0; i < l->nr; i++)
		free(l->items[i].kinds);
	free(l);
}
DEFINE_CLEANUP(struct loners *, loners_destroy);

double pair_jaccard(const uint64_t *a, size_t nr_a, const uint64_t *b, size_t nr_b)
{
	size_t i = 0, j = 0, common = 0;

	while (i < nr_a && j < nr_b) {
		common += a[i] == b[j];
		if (a[i] < b[j])
			i++;
		else if (a[i] > b[j])
			j++;
		else
			i++, j++;
	}
	return nr_a + nr_b ? (double)common / (double)(nr_a + nr_b - common) : 0;
}

static int compare_kinds(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static int add_kind(struct loner *l, uint64_t kind)
{
	if (l->nr && l->kinds[l->nr - 1] == kind)
		return 0;
	if (l->nr == l->size) {
		size_t size = l->size ? l->size * 2 : 16;
		uint64_t *kinds = reallocarray(l->kinds, size, sizeof(*kinds));

		if (!kinds)
			return -ENOMEM;
		l->kinds = kinds;
		l->size = size;
	}
	l->kinds[l->nr++] = kind;
	return 0;
}

static void make_distinct(struct loner *l)
{
	size_t kept = 0;

	qsort(l->kinds, l->nr, sizeof(*l->kinds), compare_kinds);
	for (size_t i = 0; i < l->nr; i++)
		if (!kept || l->kinds[kept - 1] != l->kinds[i])
			l->kinds[kept++] = l->kinds[i];
	l->nr = kept;
}

/* Groups that are on one side only.  Return: false if there are too many. */
static bool find_loners(const struct grouping *g, const uint32_t *patterns, struct loners *l)
{
	unsigned int side = l->side;

	for (uint32_t i = 0; i < g->nr; i++) {
		if (!g->groups[i].on[side] || g->groups[i].on[!side] || !g->groups[i].threads[side])
			continue;
		if (l->nr == PAIR_MAX_LONERS)
			return false;
		l->index[i] = (uint32_t)l->nr;
		l->items[l->nr++] = (struct loner){ .group = i, .pattern = patterns[i] };
	}
	return true;
}

static int add_kinds(const struct compare_work *w, const struct grouping *g,
		     const struct grouping names[2], struct loners *l)
{
	for (size_t i = 0; i < side_of(w, l->side)->nr_threads; i++) {
		uint32_t at = l->index[g->threads[l->side][i]];
		uint64_t kind =
			(uint64_t)names[0].threads[l->side][i] << 32 | names[1].threads[l->side][i];

		if (at != NAMES_NONE && add_kind(&l->items[at], kind) < 0)
			return -ENOMEM;
	}
	for (size_t i = 0; i < l->nr; i++)
		make_distinct(&l->items[i]);
	return 0;
}

static size_t common_front(const char *a, const char *b)
{
	size_t front = 0;

	for (size_t i = 0; a[i] && a[i] == b[i]; i++)
		front = a[i] == '/' ? i + 1 : front;
	return front;
}

/* The best first. */
static int compare_ranks(const struct candidate *x, const struct candidate *y)
{
	if (x->similarity != y->similarity)
		return x->similarity > y->similarity ? -1 : 1;
	if (x->alike != y->alike)
		return x->alike ? -1 : 1;
	return x->front == y->front ? 0 : x->front > y->front ? -1 : 1;
}

/* Then by name, so that the order of threads does not matter. */
static int compare_candidates(const void *a, const void *b, void *groups)
{
	const struct ktstr_ctprof_group *all = groups;
	const struct candidate *x = a, *y = b;
	int r = compare_ranks(x, y);

	if (r)
		return r;
	r = strcmp(all[x->before->group].label, all[y->before->group].label);
	return r ? r : strcmp(all[x->after->group].label, all[y->after->group].label);
}

static bool fits(const struct loner *a, const struct loner *b, double similarity)
{
	if (a->pattern == b->pattern)
		return similarity >= MIN_ALIKE;
	return similarity >= MIN_UNLIKE && a->nr >= MIN_KINDS && b->nr >= MIN_KINDS;
}

static void merge(struct grouping *g, const struct candidate *c, uint32_t *to)
{
	struct ktstr_ctprof_group *before = &g->groups[c->before->group];
	const struct ktstr_ctprof_group *after = &g->groups[c->after->group];

	before->label_before = before->label;
	before->label = after->label;
	before->similarity = c->similarity;
	before->choices =
		c->before->choices > c->after->choices ? c->before->choices : c->after->choices;
	before->threads[1] = after->threads[1];
	before->born = after->born;
	before->on[1] = true;
	to[c->after->group] = c->before->group | PAIR_MERGED;
	c->before->paired = c->after->paired = true;
}

/* Candidates as good as each other. */
static void merge_run(struct grouping *g, const struct candidate *run, size_t nr, uint32_t *to)
{
	for (size_t i = 0; i < nr; i++)
		run[i].before->choices = run[i].after->choices = 0;
	for (size_t i = 0; i < nr; i++) {
		run[i].before->choices += !run[i].before->paired && !run[i].after->paired;
		run[i].after->choices += !run[i].before->paired && !run[i].after->paired;
	}
	for (size_t i = 0; i < nr; i++)
		if (!run[i].before->paired && !run[i].after->paired)
			merge(g, &run[i], to);
}

static int match(struct grouping *g, struct loners *before, struct loners *after, uint32_t *to)
{
	_cleanup_free_ struct candidate *all = calloc(before->nr * after->nr + 1, sizeof(*all));
	size_t nr = 0;

	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < before->nr; i++) {
		for (size_t j = 0; j < after->nr; j++) {
			struct loner *a = &before->items[i], *b = &after->items[j];
			double similarity = pair_jaccard(a->kinds, a->nr, b->kinds, b->nr);

			if (fits(a, b, similarity))
				all[nr++] =
					(struct candidate){ similarity, a->pattern == b->pattern,
							    common_front(g->groups[a->group].label,
									 g->groups[b->group].label),
							    a, b };
		}
	}
	qsort_r(all, nr, sizeof(*all), compare_candidates, g->groups);
	for (size_t i = 0, end; i < nr; i = end) {
		for (end = i + 1; end < nr && !compare_ranks(&all[i], &all[end]);)
			end++;
		merge_run(g, &all[i], end - i, to);
	}
	return 0;
}

/* Closes the gaps that merged groups leave. */
static void compact(struct compare_work *w, struct grouping *g, uint32_t *to)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < g->nr; i++) {
		if (to[i] & PAIR_MERGED)
			continue;
		g->groups[kept] = g->groups[i];
		to[i] = kept++;
	}
	/* What was merged went to a group that is kept, wherever that is by now. */
	for (uint32_t i = 0; i < g->nr; i++)
		if (to[i] & PAIR_MERGED)
			to[i] = to[to[i] & ~PAIR_MERGED];
	for (unsigned int side = 0; side < 2; side++) {
		for (size_t i = 0; i < side_of(w, side)->nr_threads; i++)
			g->threads[side][i] = to[g->threads[side][i]];
		for (size_t i = 0; i < side_of(w, side)->nr_cgroups; i++)
			g->cgroups[side][i] = to[g->cgroups[side][i]];
	}
	g->nr = kept;
}

/* What paths are like, ids left out: a number for each group. */
static int path_patterns(const struct grouping *g, struct arena *arena, uint32_t *ret_patterns)
{
	_cleanup_(text_set_deinit) struct text_set set = { 0 };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < g->nr; i++) {
		const char *copy;

		strbuf_clear(&text);
		names_pattern(&text, NAMES_CGROUP_IDS, g->groups[i].label);
		copy = text.error ? NULL : arena_copy(arena, strbuf_str(&text), text.len);
		ret_patterns[i] = copy ? text_set_add(&set, copy) : NAMES_NONE;
		if (ret_patterns[i] == NAMES_NONE)
			return -ENOMEM;
	}
	return 0;
}

static int pair_loners(struct compare_work *w, struct grouping *g, const struct grouping names[2],
		       uint32_t *to)
{
	_cleanup_(loners_destroyp) struct loners *before = calloc(1, sizeof(*before));
	_cleanup_(loners_destroyp) struct loners *after = calloc(1, sizeof(*after));
	_cleanup_free_ uint32_t *patterns = calloc(g->nr + 1, sizeof(*patterns));
	_cleanup_free_ uint32_t *index = malloc((g->nr + 1) * sizeof(*index));
	_cleanup_arena_ struct arena arena = { 0 };
	bool before_fits, after_fits;
	int r;

	if (!before || !after || !patterns || !index || path_patterns(g, &arena, patterns) < 0)
		return -ENOMEM;
	memset(index, 0xff, (g->nr + 1) * sizeof(*index));
	before->index = after->index = index;
	after->side = 1;
	before_fits = find_loners(g, patterns, before);
	after_fits = find_loners(g, patterns, after);
	if (!before->nr || !after->nr)
		return 0;
	g->unpaired = !before_fits || !after_fits;
	if (g->unpaired)
		return 0;
	r = add_kinds(w, g, names, before);
	r = r < 0 ? r : add_kinds(w, g, names, after);
	return r < 0 ? r : match(g, before, after, to);
}

int pair_cgroups(struct compare_work *w, struct grouping *g)
{
	_cleanup_grouping_ struct grouping process = { 0 };
	_cleanup_grouping_ struct grouping thread = { 0 };
	_cleanup_free_ uint32_t *to = calloc(g->nr + 1, sizeof(*to));
	int r = to ? 0 : -ENOMEM;

	for (uint32_t i = 0; r == 0 && i < g->nr; i++)
		to[i] = i;
	if (r == 0)
		r = group_make(w, KTSTR_CTPROF_BY_PROCESS, &process);
	if (r == 0)
		r = group_make(w, KTSTR_CTPROF_BY_THREAD, &thread);
	if (r == 0)
		r = pair_loners(w, g, (struct grouping[2]){ process, thread }, to);
	if (r == 0)
		compact(w, g, to);
	return r;
}
