// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <ktstr/api.h>
#include <ktstr/ctprof_condition.h>

#include "cli.h"
#include "ctprof_moments.h"
#include "ctprof_view.h"

struct request {
	struct ctprof_view view;
	const char *boots;
	struct ktstr_option_list fail_if;
	struct ktstr_ctprof_condition conditions[KTSTR_OPTION_LIST_MAX];
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
		{ 0, "fail-if", "CONDITION", "such as 'wait_time > 20%'; repeatable; see above",
		  KTSTR_OPTION_LIST, &q->fail_if },
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
	for (size_t i = 0; i < q->fail_if.nr; i++) {
		struct ktstr_error err;

		if (ktstr_ctprof_condition_parse(q->fail_if.items[i], &q->conditions[i], &err) < 0)
			return cli_fail(KTSTR_EXIT_USAGE, &err);
	}
	return ctprof_view_settle(&q->view);
}

/* With a comparison of its own, as what is shown may lack the metric and the groups. */
static int check(const struct request *q, const struct ctprof_moments *m, size_t i)
{
	static const char *const words[] = { "not met", "undecided", "met" };
	static const int codes[] = { KTSTR_EXIT_PASS, KTSTR_EXIT_UNDECIDED, KTSTR_EXIT_FAIL };
	const struct ktstr_ctprof_condition *condition = &q->conditions[i];
	struct ktstr_ctprof_compare_opts opts = q->view.compare;
	_cleanup_ctprof_comparison_ struct ktstr_ctprof_comparison *c = NULL;
	char finding[KTSTR_CTPROF_FINDING_BYTES];
	enum ktstr_ctprof_outcome outcome;
	struct ktstr_error err;

	opts.metrics = condition->metric;
	opts.sections = 0;
	opts.sort = NULL;
	if (!condition->in_groups)
		opts.group_by = KTSTR_CTPROF_BY_MACHINE;
	else if (condition->by != KTSTR_CTPROF_BY_ALL)
		opts.group_by = condition->by;
	if (ktstr_ctprof_compare(&m->sides[0], &m->sides[1], &opts, &c, &err) < 0)
		return cli_fail(KTSTR_EXIT_HARNESS, &err);
	outcome = ktstr_ctprof_condition_check(condition, c, finding);
	fprintf(stderr, "%s: %s: %s\n", words[outcome], q->fail_if.items[i], finding);
	return codes[outcome];
}

/* A condition that is met outweighs one that is undecided. */
static int check_all(const struct request *q, const struct ctprof_moments *m)
{
	int r = KTSTR_EXIT_PASS;

	for (size_t i = 0; i < q->fail_if.nr; i++) {
		int one = check(q, m, i);

		if (one == KTSTR_EXIT_HARNESS)
			return one;
		if (one == KTSTR_EXIT_FAIL || r == KTSTR_EXIT_PASS)
			r = one;
	}
	return r;
}

static int compare(struct request *q, const struct ctprof_moments *m)
{
	_cleanup_ctprof_comparison_ struct ktstr_ctprof_comparison *c = NULL;
	struct ktstr_error err;
	int r = ktstr_ctprof_compare(&m->sides[0], &m->sides[1], &q->view.compare, &c, &err);

	if (r < 0)
		return cli_fail(r == -EINVAL ? KTSTR_EXIT_USAGE : KTSTR_EXIT_HARNESS, &err);
	r = q->view.html ? ctprof_view_html(&q->view, c, m->series[m->series[1] ? 1 : 0],
					    m->series[1] ? "after" : NULL)
			 : ctprof_view_print(&q->view, c);
	cli_flush_stdout();
	return r ? r : check_all(q, m);
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
			"their rates.\n\n"
			"--fail-if '[before|after] METRIC >|>=|<|<= NUMBER[UNIT] [in GLOB]': without "
			"before\nor after the change is meant, with % relative to before; without in, "
			"all threads\ntogether.  Exit status 1 if one is met, 5 if one cannot be decided "
			"for lack of\ndata, else 0; 2 for a wrong command line or a file that is not "
			"there, 70 for one\nthat is damaged.",
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
