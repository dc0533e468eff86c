// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdio.h>

#include <ktstr/api.h>
#include <ktstr/ctprof.h>

#include "cli.h"
#include "ctprof_text.h"

static json_t *info_json(const char *of, const struct ktstr_metric_info *info)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "of", of, "name", info->name,
			 "unit", info->unit, "type", ktstr_metric_type_name(info->type), "source",
			 info->source, "aggregate", ktstr_metric_aggregate_name(info->aggregate),
			 "needs", info->needs, "about", info->about);
}

static int print_infos(const char *of, const struct ktstr_metric_info *(*info)(unsigned int),
		       bool json)
{
	int r = KTSTR_EXIT_PASS;

	for (unsigned int i = 0; info(i) && r == KTSTR_EXIT_PASS; i++) {
		if (json)
			r = cli_print_json(info_json(of, info(i)));
		else
			printf("%-28s %-5s %-8s %-6s %-14s %s%s%s%s\n", info(i)->name,
			       info(i)->unit, ktstr_metric_type_name(info(i)->type),
			       ktstr_metric_aggregate_name(info(i)->aggregate), info(i)->source,
			       info(i)->about, *info(i)->needs ? " [" : "", info(i)->needs,
			       *info(i)->needs ? "]" : "");
	}
	return r;
}

static int run_metrics(int argc, char **argv)
{
	static const struct {
		const char *of;
		const struct ktstr_metric_info *(*info)(unsigned int);
	} tables[] = {
		{ "thread", ktstr_ctprof_text_info },
		{ "thread", ktstr_ctprof_metric_info },
		{ "cgroup", ktstr_ctprof_cgroup_text_info },
		{ "cgroup", ktstr_ctprof_cgroup_metric_info },
		{ "host", ktstr_ctprof_host_text_info },
		{ "host", ktstr_ctprof_host_metric_info },
	};
	bool json = false;
	const struct ktstr_option options[] = {
		{ 0, "json", NULL, "one object per metric and line", KTSTR_OPTION_FLAG, &json },
	};
	const struct ktstr_command command = {
		.name = "ktstr ctprof metrics",
		.usage = "[OPTION]...",
		.about = "Lists every value of a record: unit, type, how groups are made of\n"
			 "threads, source, meaning, and in brackets what it needs.",
		.options = options,
		.nr_options = 1,
	};
	struct ktstr_operands operands;
	int r = cli_parse(&command, argc, argv, &operands);

	if (r >= 0)
		return r;
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && r < 0; i++) {
		r = print_infos(tables[i].of, tables[i].info, json);
		r = r == KTSTR_EXIT_PASS ? -1 : r;
	}
	return r < 0 ? KTSTR_EXIT_PASS : r;
}

int cmd_ctprof(int argc, char **argv)
{
	static const struct cli_verb verbs[] = {
		{ "capture", "record every thread of this machine", cmd_ctprof_capture },
		{ "show", "print a saved record", cmd_ctprof_show },
		{ "compare", "show what changed between two records", cmd_ctprof_compare },
		{ "watch", "show the top movers live", cmd_ctprof_watch },
		{ "probe", "read the jemalloc counters of one process", cmd_ctprof_probe },
		{ "metrics", "list the values of a record", run_metrics },
	};

	return cli_dispatch(argc, argv,
			    &(struct cli_verbs){ .prefix = "ktstr ctprof",
						 .about = "Profiles threads by their counters.",
						 .verbs = verbs,
						 .nr = sizeof(verbs) / sizeof(verbs[0]) });
}
