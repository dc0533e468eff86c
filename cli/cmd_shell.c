// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <ktstr/api.h>

#include "cli.h"
#include "guest_options.h"

int cmd_shell(int argc, char **argv)
{
	struct guest_options guest = { 0 };
	struct ktstr_option rows[GUEST_OPTION_ROWS];
	const struct ktstr_command command = {
		.name = "ktstr shell",
		.usage = "[OPTION]...",
		.about = "Opens a shell in a fresh guest; leaving the shell ends the guest.\n"
			 "Exit status: that of the shell.",
		.options = rows,
		.nr_options = GUEST_OPTION_ROWS,
	};
	struct ktstr_operands operands;
	int r;

	guest_options_rows(&guest, rows);
	r = cli_parse(&command, argc, argv, &operands);
	return r >= 0 ? r : guest_options_run(&guest, NULL);
}
