// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof/compare.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static void work_deinit(struct compare_work *w)
{
	free(w->window[0]);
	free(w->window[1]);
	free(w->between);
	free(w->survives);
	if (w->result)
		ktstr_ctprof_comparison_destroy(&w->result->head);
}

void ktstr_ctprof_comparison_destroy(struct ktstr_ctprof_comparison *comparison)
{
	struct comparison *c = (struct comparison *)comparison;

	if (!c)
		return;
	arena_deinit(&c->arena);
	free(c);
}

static const char *name_of(const struct ktstr_ctprof_side *side)
{
	return side->name ? side->name : "a snapshot";
}

static int join_window(struct compare_work *w, unsigned int i)
{
	const struct ktstr_ctprof_side *side = &w->result->head.sides[i];
	bool guessed;

	if (!side->since)
		return 0;
	if (!join_one_boot(side->since, side->snapshot, &guessed))
		return ktstr_error_set(w->err, -EINVAL,
				       "'%s': the moments of a window are of two boots",
				       name_of(side));
	w->result->head.seconds[i] = join_seconds(side->since, side->snapshot);
	if (w->result->head.seconds[i] <= 0)
		return ktstr_error_set(w->err, -EINVAL,
				       "'%s': a window does not end after it begins",
				       name_of(side));
	w->window[i] = join_threads(side->since, side->snapshot, NULL);
	return w->window[i] ? 0 : -ENOMEM;
}

static int join_moments(struct compare_work *w)
{
	struct ktstr_ctprof_comparison *c = &w->result->head;
	const struct ktstr_ctprof *a = c->sides[0].snapshot, *b = c->sides[1].snapshot;

	c->seconds[1] = join_seconds(a, b);
	if (c->seconds[1] < 0)
		return ktstr_error_set(w->err, -EINVAL, "'%s' was taken before '%s': swap them",
				       name_of(&c->sides[1]), name_of(&c->sides[0]));
	w->survives = calloc(a->nr_threads + 1, sizeof(*w->survives));
	w->between = w->survives ? join_threads(a, b, w->survives) : NULL;
	if (!w->between)
		return -ENOMEM;
	for (size_t i = 0; i < a->nr_threads; i++)
		c->ended += !w->survives[i];
	for (size_t i = 0; i < b->nr_threads; i++)
		c->born += !w->between[i];
	return 0;
}

/* Says how the sides belong together. */
static int relate(struct compare_work *w)
{
	struct ktstr_ctprof_comparison *c = &w->result->head;
	bool windows = c->sides[0].since != NULL;
	int r = 0;

	if (c->nr_sides == 2 && windows != (c->sides[1].since != NULL))
		return ktstr_error_set(w->err, -EINVAL,
				       "'%s' is a moment and '%s' a window: compare two of a kind",
				       name_of(&c->sides[windows]), name_of(&c->sides[!windows]));
	for (unsigned int i = 0; i < c->nr_sides && r == 0; i++)
		r = join_window(w, i);
	if (r < 0)
		return r;
	c->per_second = windows || w->opts->per_second;
	if (c->nr_sides == 2 && !windows && w->opts->boots != KTSTR_CTPROF_BOOTS_OTHER)
		c->one_boot =
			join_one_boot(c->sides[0].snapshot, c->sides[1].snapshot, &c->guessed) ||
			w->opts->boots == KTSTR_CTPROF_BOOTS_SAME;
	if (c->one_boot)
		r = join_moments(w);
	if (r == 0 && c->per_second && !windows && !(c->one_boot && c->seconds[1] > 0))
		r = ktstr_error_set(w->err, -EINVAL,
				    "per second needs two moments of one boot, or windows");
	return r;
}

static int make_block(struct compare_work *w, enum ktstr_ctprof_group_by by)
{
	struct ktstr_ctprof_comparison *c = &w->result->head;
	struct ktstr_ctprof_block *block = &c->blocks[c->nr_blocks];
	_cleanup_grouping_ struct grouping g = { 0 };
	size_t cells;
	int r;

	block->by = by;
	r = columns_make(w, block);
	if (r == 0)
		r = group_make(w, by, &g);
	if (r == 0 && by == KTSTR_CTPROF_BY_CGROUP && c->nr_sides == 2 && !w->opts->no_pairing)
		r = pair_cgroups(w, &g);
	if (r < 0)
		return r;
	block->unpaired = g.unpaired;
	if (__builtin_mul_overflow(g.nr, block->nr_columns, &cells) ||
	    cells > KTSTR_CTPROF_MAX_CELLS)
		return ktstr_error_set(w->err, -E2BIG,
				       "%zu groups of %zu metrics are too many: choose metrics",
				       g.nr, block->nr_columns);
	r = aggregate(w, &g, block);
	if (r < 0)
		return r;
	delta_block(c, block);
	c->nr_blocks++;
	return 0;
}

static int make_blocks(struct compare_work *w)
{
	static const enum ktstr_ctprof_group_by all[] = { KTSTR_CTPROF_BY_CGROUP,
							  KTSTR_CTPROF_BY_PROCESS,
							  KTSTR_CTPROF_BY_THREAD };
	enum ktstr_ctprof_group_by by = w->opts->group_by;
	int r;

	w->result->head.blocks = arena_alloc(&w->result->arena, ARRAY_SIZE(all) + 1,
					     sizeof(*w->result->head.blocks));
	if (!w->result->head.blocks)
		return -ENOMEM;
	r = make_block(w, KTSTR_CTPROF_BY_MACHINE);
	for (size_t i = 0; i < ARRAY_SIZE(all) && by == KTSTR_CTPROF_BY_ALL && r == 0; i++)
		r = make_block(w, all[i]);
	if (by != KTSTR_CTPROF_BY_ALL && by != KTSTR_CTPROF_BY_MACHINE && r == 0)
		r = make_block(w, by);
	return r;
}

int ktstr_ctprof_compare(const struct ktstr_ctprof_side *before,
			 const struct ktstr_ctprof_side *after,
			 const struct ktstr_ctprof_compare_opts *opts,
			 struct ktstr_ctprof_comparison **ret_comparison, struct ktstr_error *err)
{
	static const struct ktstr_ctprof_compare_opts defaults;
	_cleanup_(work_deinit) struct compare_work w = {
		.result = calloc(1, sizeof(*w.result)),
		.opts = opts ? opts : &defaults,
		.err = err,
	};
	int r;

	if (w.opts->nr_flatten > KTSTR_CTPROF_MAX_GLOBS)
		return ktstr_error_set(err, -EINVAL, "more than %d globs", KTSTR_CTPROF_MAX_GLOBS);
	if ((unsigned int)w.opts->group_by >= KTSTR_CTPROF_NR_GROUP_BYS)
		return ktstr_error_set(err, -EINVAL, "no such grouping");
	if (!w.result)
		return ktstr_error_nomem(err);
	w.result->head.sides[0] = *before;
	w.result->head.nr_sides = after ? 2 : 1;
	if (after)
		w.result->head.sides[1] = *after;
	r = relate(&w);
	if (r == 0)
		r = make_blocks(&w);
	if (r == 0)
		r = ktstr_ctprof_comparison_sort(&w.result->head, w.opts->sort, err);
	if (r == -ENOMEM)
		return ktstr_error_nomem(err);
	if (r < 0)
		return r;
	*ret_comparison = &take_ptr(w.result)->head;
	return 0;
}

const struct ktstr_ctprof_value *ktstr_ctprof_cell_main(
	const struct ktstr_ctprof_comparison *comparison, const struct ktstr_ctprof_cell *cell)
{
	if (comparison->nr_sides == 1)
		return &cell->sides[0];
	return comparison->one_boot && cell->between.of ? &cell->between : &cell->sides[1];
}
