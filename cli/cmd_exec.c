// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <ktstr/api.h>

#include "cli.h"
#include "guest_options.h"

int cmd_exec(int argc, char **argv)
{
	struct guest_options guest = { 0 };
	struct ktstr_option rows[GUEST_OPTION_ROWS];
	const struct ktstr_command command = {
		.name = "ktstr exec",
		.usage = "[OPTION]... -- COMMAND [ARGUMENT]...",
		.about =
			"Runs one command in a fresh guest; its output comes out here, its "
			"input is empty.\nIncluded files and busybox's commands can be run.\nExit status: that of the "
			"command, 128 + N if signal N killed it, 124 after --timeout,\n130 "
			"interrupted, 70 if the guest broke.",
		.options = rows,
		.nr_options = GUEST_OPTION_ROWS,
		.takes_rest = true,
	};
	struct ktstr_operands operands;
	int r;

	guest_options_rows(&guest, rows);
	r = cli_parse(&command, argc, argv, &operands);
	if (r >= 0)
		return r;
	if (!operands.nr_rest)
		return cli_failf(KTSTR_EXIT_USAGE, "missing '-- COMMAND', try 'ktstr exec --help'");
	return guest_options_run(&guest, (const char *const *)operands.rest);
}
