// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <ktstr/merge.h>

#include "cli.h"

int cmd_merge(int argc, char **argv)
{
	struct ktstr_merge_opts opts = { 0 };
	const struct ktstr_option options[] = {
		{ 0, "json", NULL, "write JSON lines to standard output instead of KTAP",
		  KTSTR_OPTION_FLAG, &opts.json },
		{ 0, "junit", "FILE", "also write the results as JUnit XML", KTSTR_OPTION_TEXT,
		  &opts.junit_path },
		{ 0, "run-dir", "DIR",
		  "write a merged results.jsonl into this folder; it must be new or empty",
		  KTSTR_OPTION_TEXT, &opts.run_dir },
		{ 0, "color", "WHEN", "color the summary: auto, always or never", KTSTR_OPTION_TEXT,
		  &opts.color },
	};
	const struct ktstr_command command = {
		.name = "ktstr merge",
		.usage = "[OPTION]... DIR...",
		.about = "Reports the run folders of any number of shards, of one program or more, "
			 "as one run.\nA run without a result is an ERROR; of several results of "
			 "one run the worst counts.\nExit status: that of a run; 70 also if a "
			 "results file is damaged or missing, 2 if folders\nare not parts of one "
			 "run.",
		.options = options,
		.nr_options = sizeof(options) / sizeof(options[0]),
		.operands_min = 1,
		.operands_max = 4096,
	};
	struct ktstr_operands operands;
	struct ktstr_error err = { 0 };
	int r = cli_parse(&command, argc, argv, &operands);

	if (r >= 0)
		return r;
	opts.dirs = (const char *const *)operands.items;
	opts.nr_dirs = operands.nr;
	r = ktstr_merge(&opts, &err);
	return err.code < 0 ? cli_fail(r, &err) : r;
}
