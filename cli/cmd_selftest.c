// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdio.h>
#include <string.h>

#include <ktstr/selftest.h>

#include "cli.h"

enum { RUN_OPTIONS = 8, RUN_OPTION_BYTES = 4096 };

struct command {
	struct ktstr_selftest_opts opts;
	struct ktstr_option_list faults, topologies;
	const char *seed, *seeds, *mode, *jobs, *kernel, *perturb;
	bool mutants;
	char text[RUN_OPTIONS][RUN_OPTION_BYTES];
	const char *run_options[RUN_OPTIONS + 1];
	const char *fault_list[KTSTR_OPTION_LIST_MAX + 1];
	const char *topology_list[KTSTR_OPTION_LIST_MAX + 1];
	size_t nr;
};

static void pass(struct command *c, const char *name, const char *value)
{
	char *text = c->text[c->nr];

	if (!value)
		return;
	snprintf(text, RUN_OPTION_BYTES, "--%s=%s", name, value);
	c->run_options[c->nr++] = text;
}

static int run(struct command *c)
{
	struct ktstr_error err = { 0 };
	int r;

	pass(c, "seed", c->seed);
	pass(c, "seeds", c->seeds);
	pass(c, "mode", c->mode);
	pass(c, "jobs", c->jobs);
	pass(c, "kernel", c->kernel);
	pass(c, "perturb", c->perturb);
	c->opts.run_options = c->run_options;
	memcpy(c->fault_list, c->faults.items, c->faults.nr * sizeof(*c->fault_list));
	memcpy(c->topology_list, c->topologies.items, c->topologies.nr * sizeof(*c->topology_list));
	c->opts.faults = c->faults.nr ? c->fault_list : NULL;
	c->opts.topologies = c->topologies.nr ? c->topology_list : NULL;
	r = ktstr_selftest_mutants(&c->opts, &err);
	return err.text[0] ? cli_fail(r, &err) : r;
}

int cmd_selftest(int argc, char **argv)
{
	static struct command c;
	const struct ktstr_option options[] = {
		{ 0, "mutants", NULL, "put each known bug into a scheduler and look who notices",
		  KTSTR_OPTION_FLAG, &c.mutants },
		{ 0, "fault", "GLOB", "only those faults (repeatable)", KTSTR_OPTION_LIST,
		  &c.faults },
		{ 0, "topologies", "NAME", "run on this preset, or text as 1n2l4c1t (repeatable)",
		  KTSTR_OPTION_LIST, &c.topologies },
		{ 0, "scheduler", "PATH", "the scheduler with the faults (ktstr-sched)",
		  KTSTR_OPTION_TEXT, &c.opts.binary },
		{ 0, "watchdog", "MS", "of the faulty scheduler (2000)", KTSTR_OPTION_U32,
		  &c.opts.watchdog_ms },
		{ 0, "json", "FILE",
		  "write every result to FILE, a JSON object per line; -: stdout",
		  KTSTR_OPTION_TEXT, &c.opts.json_path },
		{ 0, "markdown", "FILE", "write the table to FILE as a document", KTSTR_OPTION_TEXT,
		  &c.opts.markdown_path },
		{ 0, "kernel", "SPEC", "boot this kernel", KTSTR_OPTION_TEXT, &c.kernel },
		{ 0, "seed", "N", "where all chance comes from (1)", KTSTR_OPTION_TEXT, &c.seed },
		{ 0, "seeds", "N|A..B", "run each with the seeds 1..N or A..B", KTSTR_OPTION_TEXT,
		  &c.seeds },
		{ 'j', "jobs", "N", "run so many at once (by cores and free memory)",
		  KTSTR_OPTION_TEXT, &c.jobs },
		{ 0, "mode", "MODE", "live, exact or auto", KTSTR_OPTION_TEXT, &c.mode },
		{ 0, "perturb", "HOW", "how much a seed disturbs a guest: off, light, heavy",
		  KTSTR_OPTION_TEXT, &c.perturb },
	};
	const struct ktstr_command command = {
		.name = "ktstr selftest",
		.usage = "--mutants [OPTION]...",
		.about =
			"Judges the judge: runs 'ktstr check' on schedulers with known bugs, and prints "
			"for each\nwhether it was caught, by which scenario and check, and how "
			"soon.\nExit status: 0 all were caught, 1 one was not, else that of 'ktstr "
			"check'.",
		.options = options,
		.nr_options = sizeof(options) / sizeof(options[0]),
	};
	struct ktstr_operands operands;
	int r = cli_parse(&command, argc, argv, &operands);

	if (r >= 0)
		return r;
	if (!c.mutants)
		return cli_failf(KTSTR_EXIT_USAGE,
				 "say what to test: --mutants, try 'ktstr selftest --help'");
	return run(&c);
}
