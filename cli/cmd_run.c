// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdio.h>
#include <string.h>

#include <ktstr/api.h>

#include "cli.h"
#include "testprog.h"

/* The program's own options are its own affair, so only what stands before it is looked at. */
int cmd_run(int argc, char **argv)
{
	if (argc > 1 && (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help"))) {
		printf("usage: ktstr run PROGRAM [OPTION]... [PATTERN]...\n"
		       "\n"
		       "Runs the tests in a test program; what follows its name is handed to it.\n"
		       "'ktstr run PROGRAM --help' shows its options.\n");
		return KTSTR_EXIT_PASS;
	}
	if (argc < 2)
		return cli_failf(KTSTR_EXIT_USAGE, "missing PROGRAM, try 'ktstr run --help'");
	if (argv[1][0] == '-')
		return cli_failf(
			KTSTR_EXIT_USAGE,
			"'%s': the program comes before its options, try 'ktstr run --help'",
			argv[1]);
	return testprog_exec(argv + 1);
}
