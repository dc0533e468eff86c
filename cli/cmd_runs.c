// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <ktstr/runs.h>

#include "cli.h"

enum { SECONDS_PER_DAY = 86400 };

static const char *date_of(const struct ktstr_run *run, char *buf, size_t size)
{
	time_t at = (time_t)run->ended_unix_s;
	struct tm tm;

	return localtime_r(&at, &tm) && strftime(buf, size, "%F %H:%M", &tm) ? buf : "-";
}

static void print_runs(const void *items, int nr)
{
	printf("%-24s %-16s %5s %5s %5s %5s %5s %9s  %s\n", "NAME", "ENDED", "PASS", "FAIL",
	       "UNDEC", "SKIP", "ERROR", "SIZE", "PROGRAM");
	for (int i = 0; i < nr; i++) {
		const struct ktstr_run *run = (const struct ktstr_run *)items + i;
		char date[32];

		printf("%-24s %-16s %5u %5u %5u %5u %5u %5.1f MiB  %s%s\n", run->name,
		       run->in_use ? "under way" : date_of(run, date, sizeof(date)),
		       run->counts[KTSTR_PASS], run->counts[KTSTR_FAIL],
		       run->counts[KTSTR_UNDECIDED], run->counts[KTSTR_SKIP],
		       run->counts[KTSTR_ERROR], (double)run->disk_bytes / (1 << 20),
		       run->program[0] ? run->program : "-",
		       run->finished || run->in_use ? "" : " (cut short)");
	}
}

static json_t *run_json(const void *item)
{
	const struct ktstr_run *run = item;

	return json_pack(
		"{s:s, s:s, s:I, s:i, s:i, s:i, s:i, s:i, s:I, s:b, s:b}", "name", run->name,
		"program", run->program, "ended_unix_s", (json_int_t)run->ended_unix_s, "passed",
		(int)run->counts[KTSTR_PASS], "failed", (int)run->counts[KTSTR_FAIL], "undecided",
		(int)run->counts[KTSTR_UNDECIDED], "skipped", (int)run->counts[KTSTR_SKIP],
		"errors", (int)run->counts[KTSTR_ERROR], "disk_bytes", (json_int_t)run->disk_bytes,
		"in_use", run->in_use, "finished", run->finished);
}

static int runs_list(int argc, char **argv)
{
	const struct ktstr_command command = {
		.name = "ktstr runs list",
		.usage = "[OPTION]...",
		.about =
			"Lists the folders that runs left in $XDG_STATE_HOME/ktstr/runs, newest first.",
	};
	struct ktstr_operands operands;
	struct ktstr_run *runs = NULL;
	struct ktstr_error err;
	bool json;
	int nr, r = cli_parse_json(&command, argc, argv, &json, &operands);

	if (r >= 0)
		return r;
	nr = ktstr_runs_list(&runs, &err);
	if (nr < 0)
		return cli_fail(KTSTR_EXIT_HARNESS, &err);
	r = cli_print_list(&(struct cli_list){ .items = runs,
					       .nr = nr,
					       .item_size = sizeof(*runs),
					       .none = "no run has left anything",
					       .print = print_runs,
					       .json = run_json },
			   json);
	free(runs);
	return r;
}

static int runs_rm(int argc, char **argv)
{
	const struct ktstr_command command = {
		.name = "ktstr runs rm",
		.usage = "NAME...",
		.about = "Removes runs' folders. One that is under way stays.",
		.operands_min = 1,
		.operands_max = 4096,
	};
	struct ktstr_operands operands;
	struct ktstr_error err;
	int r = cli_parse(&command, argc, argv, &operands);

	if (r >= 0)
		return r;
	r = KTSTR_EXIT_PASS;
	for (size_t i = 0; i < operands.nr; i++)
		if (ktstr_runs_remove(operands.items[i], &err) < 0)
			r = cli_fail(cli_exit_code(err.code), &err);
	return r;
}

static int print_pruned(const struct ktstr_runs_pruned *p, bool dry, bool json)
{
	if (json)
		return cli_print_json(json_pack("{s:i, s:I, s:i, s:I}", "removed", (int)p->removed,
						"freed_bytes", (json_int_t)p->freed_bytes, "kept",
						(int)p->kept, "kept_bytes",
						(json_int_t)p->kept_bytes));
	printf("%s %u, %s %" PRIu64 " MiB; %s %u, %" PRIu64 " MiB\n",
	       dry ? "would remove" : "removed", p->removed, dry ? "free" : "freed",
	       p->freed_bytes >> 20, dry ? "keep" : "kept", p->kept, p->kept_bytes >> 20);
	return KTSTR_EXIT_PASS;
}

static int runs_prune(int argc, char **argv)
{
	struct ktstr_runs_limits limits = { .max_bytes = KTSTR_RUNS_MAX_BYTES };
	bool json = false;
	uint32_t days = 0;
	const struct ktstr_option options[] = {
		{ 0, "max-size", "SIZE", "what runs may still take (default 4GiB)",
		  KTSTR_OPTION_BYTES, &limits.max_bytes },
		{ 0, "days", "N", "remove all that ended more than so many days ago",
		  KTSTR_OPTION_U32, &days },
		{ 'n', "dry-run", NULL, "only say what would go", KTSTR_OPTION_FLAG, &limits.dry },
		{ 0, "json", NULL, "write JSON", KTSTR_OPTION_FLAG, &json },
	};
	const struct ktstr_command command = {
		.name = "ktstr runs prune",
		.usage = "[OPTION]...",
		.about =
			"Frees space: removes the oldest runs' folders until the rest fits. One that is\n"
			"under way stays.",
		.options = options,
		.nr_options = sizeof(options) / sizeof(options[0]),
	};
	struct ktstr_runs_pruned pruned;
	struct ktstr_operands operands;
	struct ktstr_error err;
	int r = cli_parse(&command, argc, argv, &operands);

	if (r >= 0)
		return r;
	limits.max_age_s = (uint64_t)days * SECONDS_PER_DAY;
	if (ktstr_runs_prune(&limits, &pruned, &err) < 0)
		return cli_fail(KTSTR_EXIT_HARNESS, &err);
	return print_pruned(&pruned, limits.dry, json);
}

int cmd_runs(int argc, char **argv)
{
	static const struct cli_verb verbs[] = {
		{ "list", "list the folders of runs", runs_list },
		{ "rm", "remove folders of runs", runs_rm },
		{ "prune", "free space", runs_prune },
	};

	return cli_dispatch(
		argc, argv,
		&(struct cli_verbs){
			.prefix = "ktstr runs",
			.about =
				"Each run leaves a folder: its results, and what a replay needs. Nothing removes\n"
				"them but these commands.",
			.verbs = verbs,
			.nr = sizeof(verbs) / sizeof(verbs[0]) });
}
