// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ctprof/compare.h"

/* A name may be missing, or have no letters. */
static const char *shown(const char *name)
{
	return !name ? "(unknown)" : *name ? name : "(empty)";
}

void grouping_deinit(struct grouping *g)
{
	for (unsigned int side = 0; side < 2; side++) {
		free(g->threads[side]);
		free(g->cgroups[side]);
	}
	*g = (struct grouping){ 0 };
}

static int alloc_lists(struct compare_work *w, struct grouping *g)
{
	for (unsigned int side = 0; side < w->result->head.nr_sides; side++) {
		const struct ktstr_ctprof *s = side_of(w, side);

		g->threads[side] = calloc(s->nr_threads + 1, sizeof(uint32_t));
		if (g->by == KTSTR_CTPROF_BY_CGROUP)
			g->cgroups[side] = calloc(s->nr_cgroups + 1, sizeof(uint32_t));
		if (!g->threads[side] || (g->by == KTSTR_CTPROF_BY_CGROUP && !g->cgroups[side]))
			return -ENOMEM;
	}
	return 0;
}

static enum ktstr_ctprof_text text_of(enum ktstr_ctprof_group_by by)
{
	return by == KTSTR_CTPROF_BY_CGROUP    ? KTSTR_CTPROF_TEXT_CGROUP
	       : by == KTSTR_CTPROF_BY_PROCESS ? KTSTR_CTPROF_TEXT_PCOMM
					       : KTSTR_CTPROF_TEXT_COMM;
}

static enum names_rule rule_of(const struct compare_work *w, enum ktstr_ctprof_group_by by)
{
	if (by == KTSTR_CTPROF_BY_CGROUP)
		return w->opts->no_cgroup_patterns ? NAMES_EXACT : NAMES_CGROUP;
	if (by == KTSTR_CTPROF_BY_NAME || w->opts->no_thread_patterns)
		return NAMES_EXACT;
	return NAMES_THREAD;
}

/* Collects the names of all members; their lists hold numbers of names for now. */
static int number_names(struct compare_work *w, struct grouping *g, struct text_set *names)
{
	enum ktstr_ctprof_text text = text_of(g->by);

	for (unsigned int side = 0; side < w->result->head.nr_sides; side++) {
		const struct ktstr_ctprof *s = side_of(w, side);

		for (size_t i = 0; i < s->nr_threads; i++) {
			const char *name = shown(s->threads[i].texts[text]);

			g->threads[side][i] = text_set_add(names, name);
			if (g->threads[side][i] == NAMES_NONE)
				return -ENOMEM;
		}
		for (size_t i = 0; g->cgroups[side] && i < s->nr_cgroups; i++) {
			g->cgroups[side][i] = text_set_add(names, s->cgroups[i].path);
			if (g->cgroups[side][i] == NAMES_NONE)
				return -ENOMEM;
		}
	}
	return 0;
}

/* Moves all lists from one numbering to another. */
static void renumber(struct compare_work *w, struct grouping *g, const uint32_t *to)
{
	for (unsigned int side = 0; side < w->result->head.nr_sides; side++) {
		for (size_t i = 0; i < side_of(w, side)->nr_threads; i++)
			g->threads[side][i] = to[g->threads[side][i]];
		for (size_t i = 0; g->cgroups[side] && i < side_of(w, side)->nr_cgroups; i++)
			g->cgroups[side][i] = to[g->cgroups[side][i]];
	}
}

/* Each path that one of the user's globs matches becomes the first such glob. */
static int flatten(struct compare_work *w, struct grouping *g, const struct text_set *names,
		   struct text_set *ret_flat)
{
	_cleanup_free_ uint32_t *to = calloc(names->nr + 1, sizeof(*to));

	for (size_t i = 0; to && i < names->nr; i++) {
		const char *name = names->texts[i];

		for (size_t j = 0; j < w->opts->nr_flatten; j++) {
			if (!fnmatch(w->opts->flatten[j], names->texts[i], 0)) {
				name = w->opts->flatten[j];
				break;
			}
		}
		to[i] = text_set_add(ret_flat, name);
		if (to[i] == NAMES_NONE)
			return -ENOMEM;
	}
	if (!to)
		return -ENOMEM;
	renumber(w, g, to);
	return 0;
}

static int alloc_groups(struct compare_work *w, struct grouping *g, size_t nr)
{
	g->nr = nr;
	g->groups = arena_alloc(&w->result->arena, nr, sizeof(*g->groups));
	return g->groups ? 0 : -ENOMEM;
}

static int group_by_name(struct compare_work *w, struct grouping *g)
{
	_cleanup_(text_set_deinit) struct text_set names = { 0 }, flat = { 0 };
	_cleanup_(buckets_deinit) struct buckets buckets = { 0 };
	bool flattened = g->by == KTSTR_CTPROF_BY_CGROUP && w->opts->nr_flatten;
	int r = number_names(w, g, &names);

	if (r == 0 && flattened)
		r = flatten(w, g, &names, &flat);
	if (r == 0)
		r = buckets_make(flattened ? &flat : &names, rule_of(w, g->by), &w->result->arena,
				 &buckets);
	if (r == 0)
		r = alloc_groups(w, g, buckets.nr);
	if (r < 0)
		return r;
	renumber(w, g, buckets.of);
	for (size_t i = 0; i < buckets.nr; i++)
		g->groups[i].label = buckets.labels[i];
	return 0;
}

static void label_task(struct grouping *g, uint32_t to, thread_ref t)
{
	g->groups[to].label = shown(t->texts[KTSTR_CTPROF_TEXT_COMM]);
	g->groups[to].tgid = t->tgid;
	g->groups[to].tid = t->tid;
}

/* Threads of the earlier moment come first, then those born since. */
static int group_by_task(struct compare_work *w, struct grouping *g)
{
	const struct ktstr_ctprof *a = side_of(w, 0);
	const struct ktstr_ctprof *b = w->result->head.nr_sides == 2 ? side_of(w, 1) : NULL;
	uint32_t nr = (uint32_t)a->nr_threads;
	int r = alloc_groups(w, g, a->nr_threads + (b ? b->nr_threads : 0));

	if (r < 0)
		return r;
	for (uint32_t i = 0; i < a->nr_threads; i++) {
		g->threads[0][i] = i;
		label_task(g, i, &a->threads[i]);
	}
	for (size_t i = 0; b && i < b->nr_threads; i++) {
		thread_ref earlier = w->between ? w->between[i] : NULL;
		uint32_t to = earlier ? (uint32_t)(earlier - a->threads) : nr++;

		g->threads[1][i] = to;
		label_task(g, to, &b->threads[i]);
	}
	g->nr = nr;
	return 0;
}

static int group_by_machine(struct compare_work *w, struct grouping *g)
{
	int r = alloc_groups(w, g, 1);

	if (r == 0)
		g->groups[0].label = "all threads";
	return r;
}

static void count_threads(struct compare_work *w, struct grouping *g)
{
	for (unsigned int side = 0; side < w->result->head.nr_sides; side++) {
		for (size_t i = 0; i < side_of(w, side)->nr_threads; i++) {
			struct ktstr_ctprof_group *group = &g->groups[g->threads[side][i]];

			group->threads[side]++;
			group->on[side] = true;
			if (side == 0 && w->survives && !w->survives[i])
				group->ended++;
			if (side == 1 && w->between && !w->between[i])
				group->born++;
		}
		for (size_t i = 0; g->cgroups[side] && i < side_of(w, side)->nr_cgroups; i++)
			g->groups[g->cgroups[side][i]].on[side] = true;
	}
}

int group_make(struct compare_work *w, enum ktstr_ctprof_group_by by, struct grouping *ret_grouping)
{
	_cleanup_grouping_ struct grouping g = { .by = by };
	int r = alloc_lists(w, &g);

	if (r == 0 && by == KTSTR_CTPROF_BY_TASK)
		r = group_by_task(w, &g);
	else if (r == 0 && by == KTSTR_CTPROF_BY_MACHINE)
		r = group_by_machine(w, &g);
	else if (r == 0)
		r = group_by_name(w, &g);
	if (r < 0)
		return r;
	count_threads(w, &g);
	*ret_grouping = g;
	g = (struct grouping){ 0 };
	return 0;
}
