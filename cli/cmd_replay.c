// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <ktstr/api.h>
#include <ktstr/log.h>
#include <ktstr/replay.h>

#include "cli.h"

struct replay_command {
	struct ktstr_replay_opts opts;
	const char *gdb, *export_file;
	bool verbose;
	bool shown; /* a line of progress stands on the terminal */
};

enum { ROWS = 12 };

static size_t make_rows(struct replay_command *c, struct ktstr_option rows[ROWS])
{
	const struct ktstr_option all[] = {
		{ 'a', "all", NULL, "repeat runs that passed or were skipped too",
		  KTSTR_OPTION_FLAG, &c->opts.all },
		{ 0, "repeat", "N", "repeat each run so often, and say how many were identical",
		  KTSTR_OPTION_U32, &c->opts.repeat },
		{ 0, "no-template", NULL, "boot every guest instead of cloning a booted one",
		  KTSTR_OPTION_FLAG, &c->opts.cold },
		{ 0, "export", "FILE", "repeat nothing; pack the runs with all they need into FILE",
		  KTSTR_OPTION_TEXT, &c->export_file },
		{ 0, "gdb", "WHEN",
		  "hold the guest for gdb: at its start, or when it failed (fail)",
		  KTSTR_OPTION_TEXT, &c->gdb },
		{ 0, "console", NULL, "show the guest's console on standard error",
		  KTSTR_OPTION_FLAG, &c->opts.console },
		{ 0, "kernel", "FILE", "look here for the kernel; its content must be the same",
		  KTSTR_OPTION_TEXT, &c->opts.kernel_path },
		{ 0, "qemu", "PATH", "use this QEMU", KTSTR_OPTION_TEXT, &c->opts.qemu_path },
		{ 0, "any-qemu", NULL, "accept another version of QEMU than was recorded",
		  KTSTR_OPTION_FLAG, &c->opts.any_qemu },
		{ 0, "run-dir", "DIR", "keep the files of the repetitions here; new or empty",
		  KTSTR_OPTION_TEXT, &c->opts.run_dir },
		{ 'v', "verbose", NULL, "say what is being done", KTSTR_OPTION_FLAG, &c->verbose },
	};

	_Static_assert(sizeof(all) / sizeof(all[0]) <= ROWS, "make ROWS larger");
	memcpy(rows, all, sizeof(all));
	return sizeof(all) / sizeof(all[0]);
}

static void clear_progress(struct replay_command *c)
{
	if (c->shown)
		fputs("\r\033[K", stderr);
	c->shown = false;
}

static void say(void *arg, const char *line)
{
	clear_progress(arg);
	puts(line);
	cli_flush_stdout();
}

static void progress(void *arg, const char *line)
{
	struct replay_command *c = arg;

	clear_progress(c);
	fprintf(stderr, "%.78s", line);
	fflush(stderr);
	c->shown = true;
}

static void log_line(void *arg, enum ktstr_log_level level, const char *text)
{
	struct replay_command *c = arg;

	if (level > KTSTR_LOG_WARN && !c->verbose)
		return;
	clear_progress(c);
	fprintf(stderr, "ktstr: %s%s\n", level == KTSTR_LOG_WARN ? "warning: " : "", text);
}

static int take_gdb(struct replay_command *c)
{
	if (!c->gdb)
		return 0;
	if (!strcmp(c->gdb, "start"))
		c->opts.gdb = KTSTR_REPLAY_GDB_START;
	else if (!strcmp(c->gdb, "fail"))
		c->opts.gdb = KTSTR_REPLAY_GDB_FAIL;
	else
		return cli_failf(KTSTR_EXIT_USAGE, "--gdb '%s': start or fail is meant", c->gdb);
	return 0;
}

static int run(struct replay_command *c)
{
	struct ktstr_error err = { 0 };
	int r;

	c->opts.say = say;
	c->opts.arg = c;
	if (isatty(STDERR_FILENO) && !c->opts.console)
		c->opts.progress = progress;
	ktstr_log_set(log_line, c);
	r = c->export_file ? ktstr_replay_export(&c->opts, c->export_file, &err)
			   : ktstr_replay(&c->opts, &err);
	clear_progress(c);
	ktstr_log_set(NULL, NULL);
	if (r >= 0)
		return r;
	if (cli_folder_is_wrong(c->opts.run_dir, r))
		return cli_fail(KTSTR_EXIT_USAGE, &err);
	return cli_fail(cli_exit_code(r), &err);
}

int cmd_replay(int argc, char **argv)
{
	struct replay_command c = { 0 };
	struct ktstr_option rows[ROWS];
	const struct ktstr_command command = {
		.name = "ktstr replay",
		.usage = "[OPTION]... RUN|RUN/ITEM|FILE",
		.about =
			"Repeats recorded runs: of a run folder all that did not pass, one item of it, or\n"
			"what --export packed.  Exact runs are compared event by event.\n"
			"Exit status: that of the verdicts if every exact run was identical, 70 if one\n"
			"parted from its record or could not be repeated, 4 if there was none, 2 usage,\n"
			"130 interrupted.",
		.options = rows,
		.nr_options = make_rows(&c, rows),
		.operands_min = 1,
		.operands_max = 1,
	};
	struct ktstr_operands operands;
	int r = cli_parse(&command, argc, argv, &operands);

	if (r >= 0)
		return r;
	c.opts.path = operands.items[0];
	r = take_gdb(&c);
	if (r)
		return r;
	r = cli_check_output(c.export_file);
	return r < 0 ? run(&c) : r;
}
