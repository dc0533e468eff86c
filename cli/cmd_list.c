// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ktstr/api.h>

#include "cli.h"
#include "list_tables.h"
#include "testprog.h"

static int list_tests(const struct ktstr_operands *operands, bool json)
{
	char **args = calloc(operands->nr + 4, sizeof(*args));
	size_t nr = 0;
	int r;

	if (!args)
		return cli_failf(KTSTR_EXIT_HARNESS, "out of memory");
	if (!strchr(operands->items[0], '/') && access(operands->items[0], F_OK) < 0) {
		free(args);
		return cli_failf(KTSTR_EXIT_USAGE,
				 "'%s' is no table, and there is no test program of that name; "
				 "'ktstr list --help' names the tables",
				 operands->items[0]);
	}
	args[nr++] = operands->items[0];
	args[nr++] = (char *)"--list";
	if (json)
		args[nr++] = (char *)"--json";
	for (size_t i = 1; i < operands->nr; i++)
		args[nr++] = operands->items[i];
	r = testprog_exec(args);
	free(args);
	return r;
}

static int list_table(const struct list_table *table, const struct ktstr_option_list *files,
		      const struct ktstr_operands *operands, bool json)
{
	const char *paths[KTSTR_OPTION_LIST_MAX + 1] = { NULL };
	struct ktstr_catalogue *catalogue = NULL;
	struct ktstr_error err;
	int r;

	memcpy(paths, files->items, files->nr * sizeof(paths[0]));
	if (ktstr_catalogue_load(files->nr ? paths : NULL, &catalogue, &err) < 0)
		return cli_fail(KTSTR_EXIT_USAGE, &err);
	r = list_table_print(table, catalogue, operands->items + 1, operands->nr - 1, json);
	ktstr_catalogue_destroy(catalogue);
	return r;
}

int cmd_list(int argc, char **argv)
{
	struct ktstr_option_list files = { 0 };
	bool json = false;
	const struct ktstr_option options[] = {
		{ 0, "json", NULL, "one JSON object per row", KTSTR_OPTION_FLAG, &json },
		{ 0, "scenario-file", "FILE", "scenarios of this file, not those built in",
		  KTSTR_OPTION_LIST, &files },
	};
	const struct ktstr_command command = {
		.name = "ktstr list",
		.usage = "[OPTION]... scenarios|presets|work|ops|checks|metrics|PROGRAM "
			 "[PATTERN]...",
		.about =
			"Lists scenarios, topologies with names, what workers can do, what steps "
			"can change,\nwhat can be demanded, what ctprof records; or the tests in a "
			"test program (one that is\nnamed like a list is ./NAME). Patterns are of "
			"names, or of a scenario's 'group:name'.",
		.options = options,
		.nr_options = sizeof(options) / sizeof(options[0]),
		.operands_min = 1,
		.operands_max = KTSTR_OPTION_LIST_MAX,
	};
	const struct list_table *table;
	struct ktstr_operands operands;
	int r = cli_parse(&command, argc, argv, &operands);

	if (r >= 0)
		return r;
	table = list_table_find(operands.items[0]);
	if (files.nr && (!table || strcmp(table->name, "scenarios") != 0))
		return cli_failf(KTSTR_EXIT_USAGE, "--scenario-file goes with 'list scenarios'");
	return table ? list_table(table, &files, &operands, json) : list_tests(&operands, json);
}
