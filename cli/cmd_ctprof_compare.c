// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <string.h>

#include <ktstr/api.h>

#include "cli.h"
#include "ctprof_moments.h"
#include "ctprof_view.h"

struct request {
	struct ctprof_view view;
	const char *boots;
	struct ktstr_option options[CTPROF_VIEW_OPTIONS + 8];
	size_t nr_options;
};

static void add_options(struct request *q)
{
	const struct ktstr_option own[] = {
		{ 'c', "columns", "NAME,...",
		  "of rows: group, threads, metric, before, after, between, change, ...",
		  KTSTR_OPTION_TEXT, &q->view.text.columns },
		{ 0, "per-second", NULL, "divide what happened by the time in between",
		  KTSTR_OPTION_FLAG, &q->view.compare.per_second },
		{ 0, "no-pairing", NULL, "do not pair cgroups by what runs in them",
		  KTSTR_OPTION_FLAG, &q->view.compare.no_pairing },
		{ 0, "boots", "HOW", "same or other: what files do not say", KTSTR_OPTION_TEXT,
		  &q->boots },
	};

	memcpy(q->options, q->view.options, q->view.nr_options * sizeof(own[0]));
	memcpy(q->options + q->view.nr_options, own, sizeof(own));
	q->nr_options = q->view.nr_options + sizeof(own) / sizeof(own[0]);
}

static int settle(struct request *q)
{
	if (q->boots && !strcmp(q->boots, "same"))
		q->view.compare.boots = KTSTR_CTPROF_BOOTS_SAME;
	else if (q->boots && !strcmp(q->boots, "other"))
		q->view.compare.boots = KTSTR_CTPROF_BOOTS_OTHER;
	else if (q->boots)
		return cli_failf(KTSTR_EXIT_USAGE, "--boots '%s' is neither same nor other",
				 q->boots);
	return ctprof_view_settle(&q->view);
}

static int compare(struct request *q, const struct ctprof_moments *m)
{
	_cleanup_ctprof_comparison_ struct ktstr_ctprof_comparison *c = NULL;
	struct ktstr_error err;
	int r = ktstr_ctprof_compare(&m->sides[0], &m->sides[1], &q->view.compare, &c, &err);

	if (r < 0)
		return cli_fail(r == -EINVAL ? KTSTR_EXIT_USAGE : KTSTR_EXIT_HARNESS, &err);
	if (q->view.html)
		return ctprof_view_html(&q->view, c, m->series[m->series[1] ? 1 : 0],
					m->series[1] ? "after" : NULL);
	return ctprof_view_print(&q->view, c);
}

int cmd_ctprof_compare(int argc, char **argv)
{
	_cleanup_ctprof_moments_ struct ctprof_moments moments = { 0 };
	struct ktstr_operands operands;
	struct request q = { 0 };
	struct ktstr_command command = {
		.name = "ktstr ctprof compare",
		.usage = "[OPTION]... FILE[@N] [FILE[@N]]",
		.about =
			"Shows what changed between two records, the largest changes first.\n\n"
			"Of one boot: what happened in between, thread by thread.  Of two boots: "
			"before\nand after.  A file with several moments is compared from its first "
			"to its last;\nFILE@N is moment N, from 1.  Two such files are compared by "
			"their rates.",
		.operands_min = 1,
		.operands_max = 2,
	};
	int r;

	ctprof_view_init(&q.view, "process");
	add_options(&q);
	command.options = q.options;
	command.nr_options = q.nr_options;
	r = cli_parse(&command, argc, argv, &operands);
	if (r < 0)
		r = settle(&q);
	if (r < 0)
		r = ctprof_moments_two(operands.items, operands.nr, &moments);
	return r < 0 ? compare(&q, &moments) : r;
}
