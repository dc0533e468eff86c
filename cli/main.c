// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <ktstr/api.h>

#include "cli.h"

static int version(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	printf("ktstr %s\n", KTSTR_VERSION);
	return KTSTR_EXIT_PASS;
}

static const struct cli_verb verbs[] = {
	{ "version", "print the version", version },
};

enum { NR_VERBS = sizeof(verbs) / sizeof(verbs[0]) };

static int help(void)
{
	printf("usage: ktstr COMMAND [ARGUMENT]...\n"
	       "\n"
	       "Boots a real kernel in a VM with the CPU topology a test asks for, runs the test\n"
	       "inside, and says whether the scheduler kept its promises.\n"
	       "\n"
	       "commands:\n");
	cli_list_verbs(verbs, NR_VERBS);
	printf("\n'ktstr COMMAND --help' describes one command.\n");
	return KTSTR_EXIT_PASS;
}

int main(int argc, char **argv)
{
	int r;

	/* A reader that went away must show up as a write error with a message. */
	signal(SIGPIPE, SIG_IGN);
	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")))
		r = help();
	else if (argc > 1 && !strcmp(argv[1], "--version"))
		r = version(argc, argv);
	else
		r = cli_dispatch("ktstr", verbs, NR_VERBS, argc, argv);
	return cli_close_stdout(r);
}
