// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdio.h>

#include <jansson.h>

#include <ktstr/api.h>
#include <ktstr/ctprof.h>
#include <ktstr/ctprof_compare.h>

#include "cli.h"

typedef const struct ktstr_metric_info *info_fn(unsigned int index);

static const struct table {
	const char *of;
	const char *title;
	const char *about;
	info_fn *info;
} tables[] = {
	{ "thread", "Texts of a thread", "", ktstr_ctprof_text_info },
	{ "thread", "Values of a thread",
	  "Those from `smaps_rollup` are of a process: only its leader has them.",
	  ktstr_ctprof_metric_info },
	{ "derived", "Derived values",
	  "Computed by `show` and `compare`, of threads and of groups; not in the file.",
	  ktstr_ctprof_derived_info },
	{ "cgroup", "Texts of a cgroup", "", ktstr_ctprof_cgroup_text_info },
	{ "cgroup", "Values of a cgroup", "Of every cgroup that has a thread in it.",
	  ktstr_ctprof_cgroup_metric_info },
	{ "host", "Texts of the machine", "", ktstr_ctprof_host_text_info },
	{ "host", "Values of the machine", "", ktstr_ctprof_host_metric_info },
};

static int print_json(void)
{
	int r = KTSTR_EXIT_PASS;

	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
		const struct ktstr_metric_info *m;

		for (unsigned int i = 0; (m = tables[t].info(i)) && r == KTSTR_EXIT_PASS; i++)
			r = cli_print_json(
				json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "of",
					  tables[t].of, "name", m->name, "unit", m->unit, "type",
					  ktstr_metric_type_name(m->type), "source", m->source,
					  "aggregate", ktstr_metric_aggregate_name(m->aggregate),
					  "needs", m->needs, "about", m->about));
	}
	return r;
}

static void print_markdown_table(const struct table *table)
{
	const struct ktstr_metric_info *m;

	printf("\n## %s\n\n", table->title);
	if (*table->about)
		printf("%s\n\n", table->about);
	printf("| name | unit | type | groups | source | meaning | needs |\n"
	       "|---|---|---|---|---|---|---|\n");
	for (unsigned int i = 0; (m = table->info(i)); i++)
		printf("| `%s` | %s | %s | %s | %s | %s | %s |\n", m->name, m->unit,
		       ktstr_metric_type_name(m->type), ktstr_metric_aggregate_name(m->aggregate),
		       m->source, m->about, m->needs);
}

static void print_markdown(void)
{
	printf("# Values of a ctprof record\n\n"
	       "Made by `ktstr ctprof metrics --markdown` from `include/ktstr/metrics.def` and\n"
	       "`include/ktstr/derived.def`, where the words are explained. Absent is not zero: a value\n"
	       "whose need is not met is not there. A limit that is not set is 9223372036854775807, and\n"
	       "shown as `max`. `groups` says how threads, or cgroups, are put together.\n");
	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
		print_markdown_table(&tables[t]);
}

static void print_text(void)
{
	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
		const struct ktstr_metric_info *m;

		printf("%s%s\n", t ? "\n" : "", tables[t].title);
		for (unsigned int i = 0; (m = tables[t].info(i)); i++)
			printf("  %-37s %-6s %-8s %-6s %s: %s%s%s%s\n", m->name, m->unit,
			       ktstr_metric_type_name(m->type),
			       ktstr_metric_aggregate_name(m->aggregate), m->source, m->about,
			       *m->needs ? " [" : "", m->needs, *m->needs ? "]" : "");
	}
}

int cmd_ctprof_metrics(int argc, char **argv)
{
	bool json = false, markdown = false;
	const struct ktstr_option options[] = {
		{ 0, "json", NULL, "one object per value and line", KTSTR_OPTION_FLAG, &json },
		{ 0, "markdown", NULL, "as docs/reference/ctprof-metrics.md", KTSTR_OPTION_FLAG,
		  &markdown },
	};
	const struct ktstr_command command = {
		.name = "ktstr ctprof metrics",
		.usage = "[OPTION]...",
		.about = "Lists every value of a record: unit, type, how groups are made of\n"
			 "threads, source, meaning, and in brackets what it needs.",
		.options = options,
		.nr_options = sizeof(options) / sizeof(options[0]),
	};
	struct ktstr_operands operands;
	int r = cli_parse(&command, argc, argv, &operands);

	if (r >= 0)
		return r;
	if (json && markdown)
		return cli_failf(KTSTR_EXIT_USAGE, "--json and --markdown exclude each other");
	if (json)
		return print_json();
	if (markdown)
		print_markdown();
	else
		print_text();
	return KTSTR_EXIT_PASS;
}
