// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdio.h>
#include <string.h>

#include <ktstr/check.h>

#include "cli.h"

enum { RUN_OPTIONS = 24, RUN_OPTION_BYTES = 4096 };

/* Options that are handed on to the runner as they came. */
struct passed {
	const char *seed, *seeds, *repeat, *mode, *jobs, *qemu, *kernel_args, *perturb, *run_dir,
		*timeout, *wall_limit, *partition, *junit;
	bool keep, fail_fast, no_template, verbose;
};

#define NO_BUDGET UINT64_MAX /* until --budget says one */

struct command {
	struct ktstr_check_opts opts;
	struct passed passed;
	struct ktstr_option_list patterns, files, topologies, kernels;
	struct ktstr_scheduler scheduler;
	const char *color;
	char text[RUN_OPTIONS][RUN_OPTION_BYTES];
	const char *run_options[RUN_OPTIONS + 1];
	size_t nr_run_options;
};

static void pass_text(struct command *c, const char *name, const char *value)
{
	char *text = c->text[c->nr_run_options];

	if (!value)
		return;
	snprintf(text, RUN_OPTION_BYTES, "--%s=%s", name, value);
	c->run_options[c->nr_run_options++] = text;
}

static void pass_flag(struct command *c, const char *name, bool value)
{
	char *text = c->text[c->nr_run_options];

	if (!value)
		return;
	snprintf(text, RUN_OPTION_BYTES, "--%s", name);
	c->run_options[c->nr_run_options++] = text;
}

static void pass_all(struct command *c)
{
	const struct passed *p = &c->passed;

	pass_text(c, "seed", p->seed);
	pass_text(c, "seeds", p->seeds);
	pass_text(c, "repeat", p->repeat);
	pass_text(c, "mode", p->mode);
	pass_text(c, "jobs", p->jobs);
	pass_text(c, "qemu", p->qemu);
	pass_text(c, "kernel-args", p->kernel_args);
	pass_text(c, "perturb", p->perturb);
	pass_text(c, "run-dir", p->run_dir);
	pass_text(c, "timeout", p->timeout);
	pass_text(c, "wall-limit", p->wall_limit);
	pass_text(c, "partition", p->partition);
	pass_text(c, "junit", p->junit);
	pass_text(c, "color", c->color);
	pass_flag(c, "keep", p->keep);
	pass_flag(c, "fail-fast", p->fail_fast);
	pass_flag(c, "no-template", p->no_template);
	pass_flag(c, "verbose", p->verbose);
	c->opts.run_options = c->run_options;
}

/* A list ends with NULL for the library. */
static const char *const *list_of(struct ktstr_option_list *list, const char *const fallback[])
{
	static const char *ends[4][KTSTR_OPTION_LIST_MAX + 1];
	static size_t used;
	const char **end = ends[used++];

	if (!list->nr)
		return fallback;
	memcpy(end, list->items, list->nr * sizeof(*end));
	return end;
}

static int take_scheduler(struct command *c, const struct ktstr_operands *operands)
{
	struct ktstr_scheduler *s = &c->scheduler;
	const char *slash;

	if (!operands->nr_rest)
		return operands->has_rest
			       ? cli_failf(KTSTR_EXIT_USAGE, "there is no scheduler behind '--'")
			       : -1;
	if (operands->nr_rest > KTSTR_SCHEDULER_ARGS)
		return cli_failf(KTSTR_EXIT_USAGE, "more than %d arguments for the scheduler",
				 KTSTR_SCHEDULER_ARGS - 1);
	slash = strrchr(operands->rest[0], '/');
	s->name = slash ? slash + 1 : operands->rest[0];
	s->binary = operands->rest[0];
	for (size_t i = 1; i < operands->nr_rest; i++)
		s->args[i - 1] = operands->rest[i];
	c->opts.scheduler = s;
	return -1;
}

static int run(struct command *c, const struct ktstr_operands *operands)
{
	struct ktstr_error err = { 0 };
	int r = take_scheduler(c, operands);

	if (r >= 0)
		return r;
	if (!c->opts.budget_ns)
		return cli_failf(KTSTR_EXIT_USAGE,
				 "--budget: nothing can be run in no time; --all runs everything");
	if (c->opts.budget_ns == NO_BUDGET)
		c->opts.budget_ns = 0;
	pass_all(c);
	c->opts.patterns = list_of(&c->patterns, NULL);
	c->opts.files = list_of(&c->files, NULL);
	c->opts.topologies = list_of(&c->topologies, NULL);
	c->opts.kernels = list_of(&c->kernels, NULL);
	c->opts.color = c->color && !strcmp(c->color, "always");
	r = ktstr_check(&c->opts, &err);
	return err.text[0] ? cli_fail(r, &err) : r;
}

int cmd_check(int argc, char **argv)
{
	static struct command c;
	const struct ktstr_option options[] = {
		{ 0, "scenarios", "GLOB",
		  "run those that match, by name or group:name (repeatable)", KTSTR_OPTION_LIST,
		  &c.patterns },
		{ 0, "scenario-file", "FILE", "take scenarios from this file (repeatable)",
		  KTSTR_OPTION_LIST, &c.files },
		{ 0, "topologies", "NAME", "run on this preset, or text as 1n2l4c1t (repeatable)",
		  KTSTR_OPTION_LIST, &c.topologies },
		{ 0, "budget", "TIME",
		  "run what shows most in so much time (3m, if nothing says what to run)",
		  KTSTR_OPTION_DURATION, &c.opts.budget_ns },
		{ 0, "all", NULL, "run everything that fits the topologies, however long it takes",
		  KTSTR_OPTION_FLAG, &c.opts.all },
		{ 0, "json", "FILE",
		  "write every result to FILE, a JSON object per line; -: stdout",
		  KTSTR_OPTION_TEXT, &c.opts.json_path },
		{ 0, "junit", "FILE", "also write the results as JUnit XML", KTSTR_OPTION_TEXT,
		  &c.passed.junit },
		{ 0, "dump", NULL, "show what is demanded of the scenarios, and by whom, and leave",
		  KTSTR_OPTION_FLAG, &c.opts.dump },
		{ 0, "partition", "KIND:M/N", "run the Mth of N shares: slice:M/N or hash:M/N",
		  KTSTR_OPTION_TEXT, &c.passed.partition },
		{ 0, "kernel", "SPEC", "boot this kernel (repeatable: a table for each)",
		  KTSTR_OPTION_LIST, &c.kernels },
		{ 0, "kernels", "SPEC", "the same as --kernel", KTSTR_OPTION_LIST, &c.kernels },
		{ 0, "scheduler-file", "FILE", "judge the scheduler this file describes",
		  KTSTR_OPTION_TEXT, &c.opts.scheduler_file },
		{ 0, "variants", NULL, "with each valid combination of its flags: a table for each",
		  KTSTR_OPTION_FLAG, &c.opts.variants },
		{ 0, "seed", "N", "where all chance comes from (1)", KTSTR_OPTION_TEXT,
		  &c.passed.seed },
		{ 0, "seeds", "N|A..B", "run each with the seeds 1..N or A..B", KTSTR_OPTION_TEXT,
		  &c.passed.seeds },
		{ 0, "repeat", "N", "run everything this many times", KTSTR_OPTION_TEXT,
		  &c.passed.repeat },
		{ 'j', "jobs", "N", "run so many at once (by cores and free memory)",
		  KTSTR_OPTION_TEXT, &c.passed.jobs },
		{ 0, "mode", "MODE", "live, exact or auto", KTSTR_OPTION_TEXT, &c.passed.mode },
		{ 0, "perturb", "HOW", "how much a seed disturbs a guest: off, light, heavy",
		  KTSTR_OPTION_TEXT, &c.passed.perturb },
		{ 0, "qemu", "PATH", "use this QEMU", KTSTR_OPTION_TEXT, &c.passed.qemu },
		{ 0, "kernel-args", "WORDS", "more words for the kernel's command line",
		  KTSTR_OPTION_TEXT, &c.passed.kernel_args },
		{ 0, "timeout", "TIME", "end the run of a table after this long", KTSTR_OPTION_TEXT,
		  &c.passed.timeout },
		{ 0, "wall-limit", "TIME", "end a run after this long on this machine",
		  KTSTR_OPTION_TEXT, &c.passed.wall_limit },
		{ 0, "fail-fast", NULL, "start nothing more after the first FAIL or ERROR",
		  KTSTR_OPTION_FLAG, &c.passed.fail_fast },
		{ 0, "no-template", NULL, "boot every guest instead of cloning a booted one",
		  KTSTR_OPTION_FLAG, &c.passed.no_template },
		{ 0, "keep", NULL, "keep the files of passing runs too", KTSTR_OPTION_FLAG,
		  &c.passed.keep },
		{ 0, "run-dir", "DIR", "make this the folder of the run; it must be new or empty",
		  KTSTR_OPTION_TEXT, &c.passed.run_dir },
		{ 0, "color", "WHEN", "color the table: auto, always or never", KTSTR_OPTION_TEXT,
		  &c.color },
		{ 'v', "verbose", NULL, "say what is being done", KTSTR_OPTION_FLAG,
		  &c.passed.verbose },
	};
	const struct ktstr_command command = {
		.name = "ktstr check",
		.usage = "[OPTION]... [-- SCHEDULER [ARG]...]",
		.about =
			"Judges a sched_ext scheduler, or the kernel's own if none is named, by a "
			"catalogue of\nscenarios on several topologies.  A table goes to standard "
			"output, the worst findings\nbelow it.  'ktstr list scenarios' shows what "
			"there is.\nExit status: that of 'ktstr run', of several tables the worst.",
		.options = options,
		.nr_options = sizeof(options) / sizeof(options[0]),
		.takes_rest = true,
	};
	struct ktstr_operands operands;
	int r;

	c.opts.budget_ns = NO_BUDGET;
	r = cli_parse(&command, argc, argv, &operands);
	return r >= 0 ? r : run(&c, &operands);
}
