// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof_view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <ktstr/api.h>
#include <ktstr/ctprof_html.h>

#include "base/cleanup.h"
#include "base/env.h"
#include "cli.h"

enum { DEFAULT_WIDTH = 80, TABLE_GROUPS = 15, ROWS_GROUPS = 6, TASKS = 40, PAGE_GROUPS = 300 };

void ctprof_view_init(struct ctprof_view *v, const char *group_by)
{
	*v = (struct ctprof_view){ .group_by = group_by,
				   .default_group_by = group_by,
				   .limit = UINT64_MAX,
				   .color = "auto" };
	const struct ktstr_option options[] = {
		{ 'g', "group-by", "WHAT",
		  "all, cgroup, process, thread, name (exact), task or machine", KTSTR_OPTION_TEXT,
		  &v->group_by },
		{ 's', "sort", "KEY[:asc],...", "order: metrics, group, threads or weight",
		  KTSTR_OPTION_TEXT, &v->compare.sort },
		{ 'm', "metrics", "METRIC,...", "only these, in this order", KTSTR_OPTION_TEXT,
		  &v->compare.metrics },
		{ 0, "sections", "NAME,...", "only metrics of these, such as derived or pressure",
		  KTSTR_OPTION_TEXT, &v->sections },
		{ 'n', "limit", "N", "at most so many groups, 0 for all", KTSTR_OPTION_U64,
		  &v->limit },
		{ 0, "layout", "HOW", "table (a column per metric) or rows (a line per metric)",
		  KTSTR_OPTION_TEXT, &v->layout },
		{ 'w', "wide", NULL, "as wide as it gets", KTSTR_OPTION_FLAG, &v->wide },
		{ 0, "color", "WHEN", "auto, always or never", KTSTR_OPTION_TEXT, &v->color },
		{ 0, "json", NULL, "everything, as one JSON object", KTSTR_OPTION_FLAG, &v->json },
		{ 0, "csv", NULL, "a line per group and metric", KTSTR_OPTION_FLAG, &v->csv },
		{ 0, "html", "FILE", "a page to look at, sort and filter; all groupings unless -g",
		  KTSTR_OPTION_TEXT, &v->html },
		{ 0, "no-thread-patterns", NULL, "take names of threads and processes as they are",
		  KTSTR_OPTION_FLAG, &v->compare.no_thread_patterns },
		{ 0, "no-cgroup-patterns", NULL, "take paths of cgroups as they are",
		  KTSTR_OPTION_FLAG, &v->compare.no_cgroup_patterns },
		{ 0, "cgroup-flatten", "GLOB", "one group for all cgroups that match; repeatable",
		  KTSTR_OPTION_LIST, &v->flatten },
	};

	memcpy(v->options, options, sizeof(options));
	v->nr_options = ARRAY_SIZE(options);
}

static int settle_group_by(struct ctprof_view *v)
{
	for (unsigned int i = 0; i < KTSTR_CTPROF_NR_GROUP_BYS; i++) {
		if (!strcmp(ktstr_ctprof_group_by_name(i), v->group_by)) {
			v->compare.group_by = i;
			return -1;
		}
	}
	return cli_failf(KTSTR_EXIT_USAGE,
			 "--group-by '%s' is none of all, cgroup, process, "
			 "thread, name, task, machine",
			 v->group_by);
}

static int settle_sections(struct ctprof_view *v)
{
	for (const char *at = v->sections; at && *at;) {
		size_t len = strcspn(at, ",");
		unsigned int i = 0;

		while (ktstr_ctprof_section_name(i) &&
		       (strlen(ktstr_ctprof_section_name(i)) != len ||
			memcmp(ktstr_ctprof_section_name(i), at, len) != 0))
			i++;
		if (!ktstr_ctprof_section_name(i))
			return cli_failf(KTSTR_EXIT_USAGE,
					 "no section '%.*s': there are primary, taskstats-delay, "
					 "derived, smaps-rollup, cgroup-stats, cgroup-limits, "
					 "memory-stat, memory-events, pressure, host-pressure, "
					 "sched-ext, host",
					 (int)len, at);
		v->compare.sections |= 1u << i;
		at += len + (at[len] == ',');
	}
	return -1;
}

static int settle_layout(struct ctprof_view *v)
{
	if (!v->layout)
		return -1;
	if (!strcmp(v->layout, "table"))
		v->text.layout = KTSTR_CTPROF_LAYOUT_TABLE;
	else if (!strcmp(v->layout, "rows"))
		v->text.layout = KTSTR_CTPROF_LAYOUT_ROWS;
	else
		return cli_failf(KTSTR_EXIT_USAGE, "--layout '%s' is neither table nor rows",
				 v->layout);
	return -1;
}

static int settle_color(struct ctprof_view *v)
{
	if (strcmp(v->color, "auto") && strcmp(v->color, "always") && strcmp(v->color, "never"))
		return cli_failf(KTSTR_EXIT_USAGE, "--color '%s' is none of auto, always, never",
				 v->color);
	v->text.colour = *v->color == 'a' &&
			 (v->color[1] == 'l' || (isatty(STDOUT_FILENO) && env_allows_color()));
	return -1;
}

static unsigned int terminal_width(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_col)
		return DEFAULT_WIDTH;
	return size.ws_col;
}

int ctprof_view_settle(struct ctprof_view *v)
{
	int r;

	if (v->html && v->group_by == v->default_group_by)
		v->group_by = "all";
	r = settle_group_by(v);
	if (r < 0)
		r = settle_sections(v);
	if (r < 0)
		r = settle_layout(v);
	if (r < 0)
		r = settle_color(v);
	if (r >= 0)
		return r;
	if (v->json + v->csv + !!v->html > 1)
		return cli_failf(KTSTR_EXIT_USAGE, "--json, --csv and --html exclude each other");
	v->text.width = v->wide ? 0 : terminal_width();
	v->text.metrics = v->compare.metrics;
	/* A cell for each thread and metric there is would be too much. */
	if (v->compare.group_by == KTSTR_CTPROF_BY_TASK && !v->compare.metrics &&
	    !v->compare.sections)
		v->compare.metrics = "run_time_ns,wait_time_ns,voluntary_csw,nonvoluntary_csw,"
				     "nr_migrations,minflt,read_bytes,write_bytes,allocated_bytes";
	v->compare.flatten = v->flatten.items;
	v->compare.nr_flatten = v->flatten.nr;
	return cli_check_output(v->html);
}

uint64_t ctprof_view_limit(const struct ctprof_view *v, const struct ktstr_ctprof_comparison *c)
{
	bool rows = v->text.layout == KTSTR_CTPROF_LAYOUT_ROWS ||
		    (v->text.layout == KTSTR_CTPROF_LAYOUT_AUTO && c->nr_sides == 2 &&
		     (!c->one_boot || v->text.columns));

	if (v->limit != UINT64_MAX)
		return v->limit;
	if (rows)
		return ROWS_GROUPS;
	return c->nr_sides == 1 && v->compare.group_by == KTSTR_CTPROF_BY_TASK ? TASKS
									       : TABLE_GROUPS;
}

int ctprof_view_print(const struct ctprof_view *v, const struct ktstr_ctprof_comparison *c)
{
	struct ktstr_ctprof_text_opts opts = v->text;
	_cleanup_free_ char *text = NULL;
	struct ktstr_error err;
	int r;

	opts.limit = ctprof_view_limit(v, c);
	if (v->json)
		r = ktstr_ctprof_render_json(c, &text, &err);
	else if (v->csv)
		r = ktstr_ctprof_render_csv(c, &text, &err);
	else
		r = ktstr_ctprof_render_text(c, &opts, &text, &err);
	if (r == -EINVAL)
		return cli_fail(KTSTR_EXIT_USAGE, &err);
	if (r < 0)
		return cli_fail(KTSTR_EXIT_HARNESS, &err);
	fputs(text, stdout);
	return KTSTR_EXIT_PASS;
}

int ctprof_view_html(const struct ctprof_view *v, const struct ktstr_ctprof_comparison *c,
		     const struct ktstr_ctprof_series *series, const char *name)
{
	const struct ktstr_ctprof_html_opts opts = {
		.sort = v->compare.sort,
		.limit = v->limit == UINT64_MAX ? PAGE_GROUPS : v->limit,
		.series = series,
		.series_name = name,
		.compare = &v->compare,
	};
	struct ktstr_error err;

	if (ktstr_ctprof_html_write(c, &opts, v->html, &err) < 0)
		return cli_fail(KTSTR_EXIT_HARNESS, &err);
	return KTSTR_EXIT_PASS;
}
