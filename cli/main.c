// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <ktstr/api.h>

#include "cli.h"

static const struct cli_verb verbs[] = {
	{ "run", "run the tests in a test program", cmd_run },
	{ "check", "judge a scheduler by a catalogue of scenarios", cmd_check },
	{ "selftest", "judge the judge: are known bugs found?", cmd_selftest },
	{ "list", "list scenarios, presets, checks and more, or the tests in a program", cmd_list },
	{ "replay", "repeat recorded runs, bit for bit if they were exact", cmd_replay },
	{ "merge", "report the run folders of many shards as one run", cmd_merge },
	{ "runs", "list and remove what runs left behind", cmd_runs },
	{ "shell", "open a shell in a fresh guest", cmd_shell },
	{ "exec", "run one command in a fresh guest", cmd_exec },
	{ "topo", "show a CPU topology", cmd_topo },
	{ "ctprof", "record and show what threads have done", cmd_ctprof },
	{ "kernel", "fetch, list, describe and remove kernels", cmd_kernel },
	{ "template", "list and remove the booted machines tests are cloned from", cmd_template },
	{ "doctor", "say what this machine can do, and what mends the rest", cmd_doctor },
};

static const struct cli_verbs program = {
	.prefix = "ktstr",
	.about =
		"Boots a real kernel in a VM with the CPU topology a test asks for, runs the test\n"
		"inside, and says whether the scheduler kept its promises.\n"
		"'ktstr --version' says which version this is.",
	.verbs = verbs,
	.nr = sizeof(verbs) / sizeof(verbs[0]),
};

int main(int argc, char **argv)
{
	int r = KTSTR_EXIT_PASS;

	ktstr_stdio_hold();
	/* Of names of threads that are not ASCII; numbers stay as they are everywhere. */
	setlocale(LC_CTYPE, "");
	/* A reader that went away must show up as a write error with a message. */
	signal(SIGPIPE, SIG_IGN);
	if (argc > 1 && !strcmp(argv[1], "--version"))
		printf("ktstr %s\n", KTSTR_VERSION);
	else
		r = cli_dispatch(argc, argv, &program);
	return cli_close_stdout(r);
}
