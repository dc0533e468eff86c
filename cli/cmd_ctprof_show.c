// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <ktstr/api.h>

#include "base/cleanup.h"
#include "cli.h"
#include "ctprof_moments.h"
#include "ctprof_text.h"
#include "ctprof_view.h"

/* Whole records, as they are, in the order of a comparison. */
static int print_records(const struct ktstr_ctprof_comparison *c, uint64_t limit)
{
	const struct ktstr_ctprof_block *block = &c->blocks[c->nr_blocks - 1];
	int r = KTSTR_EXIT_PASS;

	for (size_t i = 0; i < block->nr_groups && (!limit || i < limit) && !r; i++)
		r = cli_print_json(ctprof_thread_json(ktstr_ctprof_find(
			c->sides[0].snapshot, block->groups[i].tgid, block->groups[i].tid)));
	return r;
}

static int show(struct ctprof_view *v, const struct ctprof_moments *m)
{
	_cleanup_ctprof_comparison_ struct ktstr_ctprof_comparison *c = NULL;
	bool records = v->json && v->compare.group_by == KTSTR_CTPROF_BY_TASK;
	struct ktstr_error err;
	int r;

	r = ktstr_ctprof_compare(&m->sides[0], NULL, &v->compare, &c, &err);
	if (r < 0)
		return cli_fail(r == -EINVAL ? KTSTR_EXIT_USAGE : KTSTR_EXIT_HARNESS, &err);
	if (v->html)
		return ctprof_view_html(v, c, m->series[0], NULL);
	return records ? print_records(c, ctprof_view_limit(v, c)) : ctprof_view_print(v, c);
}

int cmd_ctprof_show(int argc, char **argv)
{
	_cleanup_ctprof_moments_ struct ctprof_moments moments = { 0 };
	struct ktstr_operands operands;
	struct ctprof_view v;
	struct ktstr_command command = {
		.name = "ktstr ctprof show",
		.usage = "[OPTION]... FILE[@N]",
		.about =
			"Prints a saved record, the most CPU time first; '-' stands for a value that "
			"is\nabsent.  FILE@N is moment N of a series, from 1; the last if not said.\n"
			"--json of single threads is an object per thread and line.",
		.operands_min = 1,
		.operands_max = 1,
	};
	int r;

	ctprof_view_init(&v, "task");
	v.options[v.nr_options++] = (struct ktstr_option){ 'c',
							   "columns",
							   "METRIC,...",
							   "the same as --metrics",
							   KTSTR_OPTION_TEXT,
							   &v.compare.metrics };
	command.options = v.options;
	command.nr_options = v.nr_options;
	r = cli_parse(&command, argc, argv, &operands);
	if (r < 0)
		r = ctprof_view_settle(&v);
	if (r < 0)
		r = ctprof_moments_one(operands.items, &moments);
	return r < 0 ? show(&v, &moments) : r;
}
