// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ktstr/api.h>

#include "cli.h"
#include "testprog.h"

int cmd_list(int argc, char **argv)
{
	bool json = false;
	const struct ktstr_option options[] = {
		{ 0, "json", NULL, "one JSON object per test", KTSTR_OPTION_FLAG, &json },
	};
	const struct ktstr_command command = {
		.name = "ktstr list",
		.usage = "[--json] PROGRAM [PATTERN]...",
		.about = "Lists the tests in a test program, those whose names match if patterns "
			 "are given.",
		.options = options,
		.nr_options = sizeof(options) / sizeof(options[0]),
		.operands_min = 1,
		.operands_max = KTSTR_OPTION_LIST_MAX,
	};
	struct ktstr_operands operands;
	size_t nr = 0;
	char **args;
	int r = cli_parse(&command, argc, argv, &operands);

	if (r >= 0)
		return r;
	args = calloc(operands.nr + 4, sizeof(*args));
	if (!args)
		return cli_failf(KTSTR_EXIT_HARNESS, "out of memory");
	args[nr++] = operands.items[0];
	args[nr++] = (char *)"--list";
	if (json)
		args[nr++] = (char *)"--json";
	for (size_t i = 1; i < operands.nr; i++)
		args[nr++] = operands.items[i];
	r = testprog_exec(args);
	free(args);
	return r;
}
