// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "list_tables.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ktstr/ctprof.h>
#include <ktstr/scenario.h>

#include "cli.h"

enum { TEXT_BYTES = 512, NAMES_BYTES = 2 * KTSTR_SCENARIO_NAME };

struct text {
	char bytes[TEXT_BYTES];
	size_t len;
};

static void add(struct text *text, const char *fmt, ...) KTSTR_PRINTF(2, 3);

/* What does not fit is cut. */
static void add(struct text *text, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text->bytes + text->len, TEXT_BYTES - text->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		text->len += (size_t)n;
	if (text->len >= TEXT_BYTES)
		text->len = TEXT_BYTES - 1;
}

/* --- scenarios and presets ------------------------------------------------------------------- */

static void add_need(struct text *text, const char *what, uint32_t number)
{
	if (number)
		add(text, "%s%s%u", text->len ? " " : "", what, number);
}

static void add_needs(struct text *text, const struct ktstr_scenario *s)
{
	add_need(text, "cpus>=", s->limits.cpus_min);
	add_need(text, "cpus<=", s->limits.cpus_max);
	add_need(text, "llcs>=", s->limits.llcs_min);
	add_need(text, "nodes>=", s->limits.nodes_min);
	add_need(text, "threads>=", s->limits.threads_min);
	for (size_t i = 0; i < KTSTR_SCENARIO_NEEDS_OPS && s->needs_ops[i]; i++)
		add(text, "%s%s", text->len ? " " : "", s->needs_ops[i]);
}

static json_t *fitting_presets(const struct ktstr_scenario *s)
{
	const struct ktstr_preset *p;
	json_t *names = json_array();

	for (size_t i = 0; (p = ktstr_preset(i)); i++)
		if (ktstr_scenario_check(s, &p->topology, NULL) == 0)
			json_array_append_new(names, json_string(p->name));
	return names;
}

static bool scenario_row(const struct ktstr_catalogue *catalogue, size_t index, json_t **ret_row)
{
	const struct ktstr_scenario *s = ktstr_catalogue_scenario(catalogue, index);
	struct text needs = { .len = 0 }, time = { .len = 0 };

	if (!s)
		return false;
	add_needs(&needs, s);
	add(&time, "%s%.4gs", s->steps[0].until ? "<" : "",
	    (double)ktstr_scenario_time_ns(s) / 1e9);
	*ret_row =
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:o}", "name", s->name, "group",
			  s->group, "time", time.bytes, "needs", needs.bytes, "about", s->about,
			  "time_ns", (json_int_t)ktstr_scenario_time_ns(s), "place",
			  ktstr_catalogue_place(catalogue, index), "presets", fitting_presets(s));
	return true;
}

static bool preset_row(const struct ktstr_catalogue *catalogue, size_t index, json_t **ret_row)
{
	const struct ktstr_preset *p = ktstr_preset(index);
	char topology[KTSTR_TOPOLOGY_TEXT], cpus[16];

	(void)catalogue;
	if (!p)
		return false;
	snprintf(cpus, sizeof(cpus), "%u", ktstr_topology_nr_cpus(&p->topology));
	*ret_row = json_pack("{s:s, s:s, s:s, s:s}", "name", p->name, "topology",
			     ktstr_topology_format(&p->topology, topology, sizeof(topology)),
			     "cpus", cpus, "about", p->about);
	return true;
}

/* --- works, operations, checks --------------------------------------------------------------- */

static json_t *params_json(const struct ktstr_work_info *info)
{
	json_t *params = json_array();

	for (size_t i = 0; i < KTSTR_WORK_PARAMS && info->params[i].name; i++) {
		const struct ktstr_work_param *p = &info->params[i];

		json_array_append_new(params, json_pack("{s:s, s:I, s:I, s:I}", "name", p->name,
							"default", (json_int_t)p->fallback,
							"lowest", (json_int_t)p->lowest, "highest",
							(json_int_t)p->highest));
	}
	return params;
}

static bool work_row(const struct ktstr_catalogue *catalogue, size_t index, json_t **ret_row)
{
	const struct ktstr_work_info *info = ktstr_work_info((enum ktstr_work_type)index);
	struct text params = { .len = 0 };
	char group[16] = "group";

	(void)catalogue;
	if (!info)
		return false;
	for (size_t i = 0; i < KTSTR_WORK_PARAMS && info->params[i].name; i++)
		add(&params, "%s%s=%llu", i ? " " : "", info->params[i].name,
		    (unsigned long long)info->params[i].fallback);
	if (info->group)
		snprintf(group, sizeof(group), "%u", info->group);
	*ret_row = json_pack("{s:s, s:s, s:s, s:s, s:o}", "name", info->name, "workers", group,
			     "params", params.bytes, "about", info->about, "parameters",
			     params_json(info));
	return true;
}

static const char *word_name(enum ktstr_op_word word)
{
	static const char *const names[] = { "",     "CGROUP", "WORK",	 "CPU",	  "CPUS",
					     "MEMS", "POLICY", "NUMBER", "QUOTA", "SCHEDULER" };

	return (size_t)word < sizeof(names) / sizeof(names[0]) ? names[word] : "";
}

static bool op_row(const struct ktstr_catalogue *catalogue, size_t index, json_t **ret_row)
{
	const struct ktstr_step_op_info *info =
		ktstr_step_op_info((enum ktstr_step_op_kind)(index + 1));

	(void)catalogue;
	if (!info)
		return false;
	*ret_row = json_pack("{s:s, s:s, s:s, s:s}", "name", info->name, "target",
			     word_name(info->target), "argument", word_name(info->argument),
			     "about", info->about);
	return true;
}

static bool check_row(const struct ktstr_catalogue *catalogue, size_t index, json_t **ret_row)
{
	static const char *const kinds[] = { "invariant", "timing" };
	static const char *const relations[] = { "holds", "<=", ">=" };
	static const char *const subjects[] = { "run", "worker", "work", "cgroup", "cpu" };
	const struct ktstr_check_info *info = ktstr_check_info((enum ktstr_check_id)(index + 1));
	struct text bound = { .len = 0 };

	(void)catalogue;
	if (!info)
		return false;
	add(&bound, "%s%s%s", relations[info->relation], *info->unit ? " " : "", info->unit);
	*ret_row = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "name", info->name, "kind",
			     kinds[info->kind], "bound", bound.bytes, "of", subjects[info->subject],
			     "about", info->about, "unit", info->unit);
	return true;
}

/* --- metrics --------------------------------------------------------------------------------- */

static json_t *metric_json(const struct ktstr_metric_info *info, const char *of)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "name", info->name, "of", of,
			 "unit", info->unit ? info->unit : "", "type",
			 ktstr_metric_type_name(info->type), "about", info->about, "source",
			 info->source, "needs", info->needs, "aggregate",
			 ktstr_metric_aggregate_name(info->aggregate));
}

static bool metric_row(const struct ktstr_catalogue *catalogue, size_t index, json_t **ret_row)
{
	const struct {
		const struct ktstr_metric_info *(*info)(unsigned int index);
		const char *of;
	} tables[] = { { ktstr_ctprof_metric_info, "thread" },
		       { ktstr_ctprof_text_info, "thread" },
		       { ktstr_ctprof_cgroup_metric_info, "cgroup" } };

	(void)catalogue;
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		unsigned int nr = 0;

		while (tables[i].info(nr))
			nr++;
		if (index < nr) {
			*ret_row = metric_json(tables[i].info((unsigned int)index), tables[i].of);
			return true;
		}
		index -= nr;
	}
	return false;
}

static const struct list_table tables[] = {
	{ "scenarios", { "name", "group", "time", "needs", "about" }, scenario_row },
	{ "presets", { "name", "topology", "cpus", "about" }, preset_row },
	{ "work", { "name", "workers", "params", "about" }, work_row },
	{ "checks", { "name", "kind", "bound", "of", "about" }, check_row },
	{ "ops", { "name", "target", "argument", "about" }, op_row },
	{ "metrics", { "name", "of", "unit", "type", "about" }, metric_row },
};

const struct list_table *list_table_find(const char *name)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		if (!strcmp(tables[i].name, name))
			return &tables[i];
	return NULL;
}

/* --- printing -------------------------------------------------------------------------------- */

static const char *cell(const json_t *row, const char *column)
{
	const char *text = json_string_value(json_object_get(row, column));

	return text ? text : "";
}

static bool is_wanted(const json_t *row, char *const *patterns, size_t nr)
{
	char both[NAMES_BYTES];

	snprintf(both, sizeof(both), "%s:%s", cell(row, "group"), cell(row, "name"));
	for (size_t i = 0; i < nr; i++)
		if (fnmatch(patterns[i], strchr(patterns[i], ':') ? both : cell(row, "name"), 0) ==
		    0)
			return true;
	return nr == 0;
}

static json_t *collect(const struct list_table *table, const struct ktstr_catalogue *catalogue,
		       char *const *patterns, size_t nr_patterns)
{
	json_t *rows = json_array(), *row;

	for (size_t i = 0; rows && table->row(catalogue, i, &row); i++) {
		if (row && !is_wanted(row, patterns, nr_patterns)) {
			json_decref(row);
			continue;
		}
		if (json_array_append_new(rows, row) < 0) {
			json_decref(rows);
			return NULL;
		}
	}
	return rows;
}

static void print_cell(const char *text, size_t width, bool upper)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		putchar(upper ? toupper((unsigned char)text[i]) : text[i]);
	for (; len < width; len++)
		putchar(' ');
}

static void print_row(const struct list_table *table, const json_t *row, const size_t *widths)
{
	for (size_t i = 0; i < LIST_COLUMNS && table->columns[i]; i++) {
		bool last = i + 1 == LIST_COLUMNS || !table->columns[i + 1];

		print_cell(row ? cell(row, table->columns[i]) : table->columns[i],
			   last ? 0 : widths[i] + 2, !row);
	}
	putchar('\n');
}

static void print_rows(const struct list_table *table, const json_t *rows)
{
	size_t widths[LIST_COLUMNS] = { 0 }, index;
	json_t *row;

	for (size_t i = 0; i < LIST_COLUMNS && table->columns[i]; i++)
		widths[i] = strlen(table->columns[i]);
	json_array_foreach(rows, index, row)
	{
		for (size_t i = 0; i < LIST_COLUMNS && table->columns[i]; i++)
			if (strlen(cell(row, table->columns[i])) > widths[i])
				widths[i] = strlen(cell(row, table->columns[i]));
	}
	print_row(table, NULL, widths);
	json_array_foreach(rows, index, row) print_row(table, row, widths);
}

int list_table_print(const struct list_table *table, const struct ktstr_catalogue *catalogue,
		     char *const *patterns, size_t nr_patterns, bool json)
{
	json_t *rows = collect(table, catalogue, patterns, nr_patterns), *row;
	int r = KTSTR_EXIT_PASS;
	size_t index;

	if (!rows)
		return cli_failf(KTSTR_EXIT_HARNESS, "out of memory");
	if (!json_array_size(rows))
		r = cli_failf(KTSTR_EXIT_USAGE, "none of the %s is like that", table->name);
	else if (!json)
		print_rows(table, rows);
	json_array_foreach(rows, index, row)
	{
		if (json && r == KTSTR_EXIT_PASS)
			r = cli_print_json(json_incref(row));
	}
	json_decref(rows);
	return r;
}
