// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <ktstr/ctprof_render.h>

#include "base/cleanup.h"
#include "ctprof/load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_value(const struct ktstr_ctprof_value *v)
{
	must(v->have <= v->of);
	must(!v->there || v->have);
	must(v->number == v->number);
}

static void check_block(const struct ktstr_ctprof_block *b)
{
	for (size_t i = 0; i < b->nr_groups; i++) {
		for (size_t j = 0; j < b->nr_columns; j++) {
			const struct ktstr_ctprof_cell *c = &b->groups[i].cells[j];

			check_value(&c->sides[0]);
			check_value(&c->sides[1]);
			check_value(&c->between);
			must(c->share >= 0 && c->share <= 1.001);
			must(c->weight >= 0 && c->weight <= 1.001);
		}
	}
}

static void render(const struct ktstr_ctprof_comparison *c)
{
	static const struct ktstr_ctprof_text_opts narrow = { .width = 60, .limit = 3 };
	static const struct ktstr_ctprof_text_opts rows = { .layout = KTSTR_CTPROF_LAYOUT_ROWS };
	_cleanup_free_ char *text = NULL, *other = NULL, *json = NULL, *csv = NULL;

	must(ktstr_ctprof_render_text(c, &narrow, &text, NULL) == 0);
	must(ktstr_ctprof_render_text(c, &rows, &other, NULL) == 0);
	must(ktstr_ctprof_render_json(c, &json, NULL) == 0);
	must(ktstr_ctprof_render_csv(c, &csv, NULL) == 0);
}

static void compare(const struct ktstr_ctprof *a, const struct ktstr_ctprof *b,
		    const struct ktstr_ctprof_compare_opts *opts)
{
	_cleanup_ctprof_comparison_ struct ktstr_ctprof_comparison *c = NULL;
	struct ktstr_ctprof_side before = { .snapshot = a }, after = { .snapshot = b };
	int r = ktstr_ctprof_compare(&before, b ? &after : NULL, opts, &c, NULL);

	must(r == 0 || r == -EINVAL);
	for (size_t i = 0; r == 0 && i < c->nr_blocks; i++)
		check_block(&c->blocks[i]);
	if (r == 0)
		render(c);
}

/* Two snapshots as text, one behind the other; the first ends with its line. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_ctprof_ struct ktstr_ctprof *a = NULL, *b = NULL;
	const char *text = (const char *)data;
	const char *end = memchr(text, '\n', size);
	size_t first = end ? (size_t)(end - text) : size;

	if (ctprof_load_text(text, first, "a", NULL, &a, NULL) < 0)
		return 0;
	compare(a, NULL, NULL);
	if (!end || ctprof_load_text(end + 1, size - first - 1, "b", NULL, &b, NULL) < 0)
		return 0;
	for (int boots = KTSTR_CTPROF_BOOTS_AUTO; boots <= KTSTR_CTPROF_BOOTS_OTHER; boots++) {
		struct ktstr_ctprof_compare_opts opts = { .boots = (enum ktstr_ctprof_boots)boots };

		compare(a, b, &opts);
		opts.group_by = KTSTR_CTPROF_BY_TASK;
		opts.per_second = true;
		compare(a, b, &opts);
	}
	return 0;
}
