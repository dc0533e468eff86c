// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <ktstr/api.h>
#include <ktstr/ctprof.h>

#include "cli.h"
#include "ctprof_text.h"

enum { MAX_COLUMNS = 32, NAME_BYTES = 24 };

/* What show prints. */
struct view {
	int columns[MAX_COLUMNS];
	size_t nr_columns;
	int sort;
	uint64_t limit; /* 0: all */
	bool json;
};

static int add_columns(struct view *v, const char *list)
{
	char name[64];

	v->nr_columns = 0;
	while (*list) {
		size_t len = strcspn(list, ",");
		int metric;

		snprintf(name, sizeof(name), "%.*s", (int)(len < 63 ? len : 63), list);
		metric = ctprof_metric_by_name(name);
		if (metric < 0 || v->nr_columns == MAX_COLUMNS)
			return cli_failf(KTSTR_EXIT_USAGE,
					 metric < 0 ? "no metric '%s', see 'ktstr ctprof metrics'"
						    : "too many columns at '%s'",
					 name);
		v->columns[v->nr_columns++] = metric;
		list += len + (list[len] == ',');
	}
	return -1;
}

struct row {
	const struct ktstr_ctprof_thread *thread;
	int64_t key;
	bool present;
};

/* Largest first; absent values last. */
static int compare_rows(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->present != y->present)
		return x->present ? -1 : 1;
	if (x->key != y->key)
		return x->key > y->key ? -1 : 1;
	return x->thread < y->thread ? -1 : x->thread > y->thread;
}

static struct row *sorted_rows(const struct ktstr_ctprof *s, int metric)
{
	struct row *rows = calloc(s->nr_threads + 1, sizeof(*rows));

	for (size_t i = 0; rows && i < s->nr_threads; i++) {
		rows[i].thread = &s->threads[i];
		rows[i].present =
			ktstr_ctprof_get(&s->threads[i], (unsigned int)metric, &rows[i].key);
	}
	if (rows)
		qsort(rows, s->nr_threads, sizeof(*rows), compare_rows);
	return rows;
}

static void print_table(const struct view *v, const struct row *rows, size_t nr)
{
	int widths[MAX_COLUMNS];
	char cell[CTPROF_CELL], name[NAME_BYTES];

	for (size_t c = 0; c < v->nr_columns; c++) {
		unsigned int metric = (unsigned int)v->columns[c];

		widths[c] = (int)strlen(ktstr_ctprof_metric_info(metric)->name);
		for (size_t i = 0; i < nr; i++) {
			int len = (int)strlen(ctprof_cell(rows[i].thread, metric, cell));

			widths[c] = len > widths[c] ? len : widths[c];
		}
	}
	printf("%7s %7s %-16s", "TGID", "TID", "COMM");
	for (size_t c = 0; c < v->nr_columns; c++)
		printf(" %*s", widths[c],
		       ktstr_ctprof_metric_info((unsigned int)v->columns[c])->name);
	putchar('\n');
	for (size_t i = 0; i < nr; i++) {
		const struct ktstr_ctprof_thread *t = rows[i].thread;

		printf("%7u %7u %-16s", t->tgid, t->tid,
		       ctprof_name(t->texts[KTSTR_CTPROF_TEXT_COMM], name, sizeof(name)));
		for (size_t c = 0; c < v->nr_columns; c++)
			printf(" %*s", widths[c],
			       ctprof_cell(t, (unsigned int)v->columns[c], cell));
		putchar('\n');
	}
}

static int print_view(const struct view *v, const struct ktstr_ctprof *s)
{
	struct row *rows = sorted_rows(s, v->sort);
	size_t nr = v->limit && v->limit < s->nr_threads ? (size_t)v->limit : s->nr_threads;
	int r = KTSTR_EXIT_PASS;

	if (!rows)
		return cli_failf(KTSTR_EXIT_HARNESS, "out of memory");
	if (!v->json)
		print_table(v, rows, nr);
	for (size_t i = 0; v->json && i < nr && r == KTSTR_EXIT_PASS; i++)
		r = cli_print_json(ctprof_thread_json(rows[i].thread));
	if (!v->json && nr < s->nr_threads)
		fprintf(stderr, "%zu more threads; --limit 0 shows all\n", s->nr_threads - nr);
	free(rows);
	return r;
}

static int run_show(int argc, char **argv)
{
	struct view v = { .limit = 40 };
	const char *sort = "run_time_ns";
	const char *columns = "run_time_ns,wait_time_ns,voluntary_csw,nonvoluntary_csw,"
			      "allocated_bytes";
	const struct ktstr_option options[] = {
		{ 's', "sort", "METRIC", "largest value of this first; default run_time_ns",
		  KTSTR_OPTION_TEXT, &sort },
		{ 'c', "columns", "METRIC,...", "what to show of each thread", KTSTR_OPTION_TEXT,
		  &columns },
		{ 'n', "limit", "N", "at most so many threads, 0 for all; default 40",
		  KTSTR_OPTION_U64, &v.limit },
		{ 0, "json", NULL, "one object per thread and line, with everything known",
		  KTSTR_OPTION_FLAG, &v.json },
	};
	const struct ktstr_command command = {
		.name = "ktstr ctprof show",
		.usage = "[OPTION]... FILE",
		.about = "Prints a saved record; '-' stands for a value that is absent.",
		.options = options,
		.nr_options = sizeof(options) / sizeof(options[0]),
		.operands_min = 1,
		.operands_max = 1,
	};
	_cleanup_ctprof_ struct ktstr_ctprof *snapshot = NULL;
	struct ktstr_operands operands;
	struct ktstr_error err;
	int r = cli_parse(&command, argc, argv, &operands);

	if (r >= 0)
		return r;
	r = add_columns(&v, columns);
	if (r >= 0)
		return r;
	v.sort = ctprof_metric_by_name(sort);
	if (v.sort < 0)
		return cli_failf(KTSTR_EXIT_USAGE, "no metric '%s', see 'ktstr ctprof metrics'",
				 sort);
	if (ktstr_ctprof_load(operands.items[0], &snapshot, &err) < 0)
		return cli_fail(KTSTR_EXIT_HARNESS, &err);
	return print_view(&v, snapshot);
}

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
		{ "show", "print a saved record", run_show },
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
