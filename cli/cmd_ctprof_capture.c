// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <ktstr/api.h>
#include <ktstr/ctprof.h>

#include "cli.h"
#include "ctprof_stats.h"
#include "ctprof_text.h"

static const uint64_t NO_INTERVAL = UINT64_MAX;

/* What the command line asks for. */
struct plan {
	struct ktstr_ctprof_opts opts;
	const char *file;
	uint64_t interval_ns; /* NO_INTERVAL: one snapshot */
	uint32_t count;	      /* 0: until interrupted */
	bool stats;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	interrupted = sig;
}

/* Once is enough to end a series in good order; twice ends it at once. */
static void handle_signals(void)
{
	const struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* The next moment of the series that is still to come: missed ones are left out. */
static uint64_t next_moment(uint64_t start_ns, uint64_t interval_ns)
{
	return start_ns + ((now_ns() - start_ns) / interval_ns + 1) * interval_ns;
}

static void sleep_until(uint64_t ns)
{
	const struct timespec ts = { .tv_sec = (time_t)(ns / 1000000000u),
				     .tv_nsec = (long)(ns % 1000000000u) };

	while (!interrupted && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}

static int save(const struct plan *plan, uint32_t index, const struct ktstr_ctprof *snapshot,
		struct ktstr_error *err)
{
	if (index)
		return ktstr_ctprof_append(snapshot, plan->file, err);
	return ktstr_ctprof_write(snapshot, plan->file, err);
}

static int take_one(const struct plan *plan, uint32_t index, bool last)
{
	_cleanup_ctprof_ struct ktstr_ctprof *snapshot = NULL;
	struct ktstr_error err;

	if (ktstr_ctprof_capture(&plan->opts, &snapshot, &err) < 0 ||
	    save(plan, index, snapshot, &err) < 0)
		return cli_fail(KTSTR_EXIT_HARNESS, &err);
	if (plan->stats)
		ctprof_print_cost(snapshot);
	if (last && plan->stats)
		ctprof_print_sources(snapshot);
	if (last)
		ctprof_print_remedies(snapshot);
	if (!snapshot->nr_threads)
		fprintf(stderr, "no thread matches: the record is empty\n");
	return KTSTR_EXIT_PASS;
}

static int take_series(const struct plan *plan)
{
	uint64_t start_ns = now_ns();

	for (uint32_t i = 0; !interrupted; i++) {
		bool last = plan->count && i + 1 == plan->count;
		int r = take_one(plan, i, last);

		if (r != KTSTR_EXIT_PASS || last)
			return r;
		sleep_until(next_moment(start_ns, plan->interval_ns));
	}
	return plan->count ? KTSTR_EXIT_INTERRUPTED : KTSTR_EXIT_PASS;
}

static int check_plan(const struct plan *plan, const struct ktstr_command *command)
{
	if (!plan->file)
		return cli_failf(KTSTR_EXIT_USAGE, "missing option '-o FILE', try '%s --help'",
				 command->name);
	if (plan->count > 1 && plan->interval_ns == NO_INTERVAL)
		return cli_failf(KTSTR_EXIT_USAGE, "--count needs --interval, say --interval 1s");
	if (!plan->interval_ns)
		return cli_failf(KTSTR_EXIT_USAGE, "--interval is 0; leave it out for one record");
	if (plan->interval_ns != NO_INTERVAL && plan->interval_ns > 86400ull * 1000000000u)
		return cli_failf(KTSTR_EXIT_USAGE, "--interval is longer than a day");
	return cli_check_output(plan->file);
}

int cmd_ctprof_capture(int argc, char **argv)
{
	const char *collector = "auto";
	struct plan plan = { .interval_ns = NO_INTERVAL };
	const char *pid = NULL;
	const struct ktstr_option options[] = {
		{ 'o', "output", "FILE", "where to save it, by custom NAME.ctprof.zst",
		  KTSTR_OPTION_TEXT, &plan.file },
		{ 0, "collector", "NAME",
		  "bpf, procfs, or auto: bpf where that works (default auto)", KTSTR_OPTION_TEXT,
		  &collector },
		{ 0, "pid", "PID", "only this process", KTSTR_OPTION_TEXT, &pid },
		{ 0, "cgroup", "GLOB", "only threads in such cgroups, e.g. '/system.slice/*'",
		  KTSTR_OPTION_TEXT, &plan.opts.cgroup_glob },
		{ 0, "comm", "GLOB", "only threads that are called so, or whose process is",
		  KTSTR_OPTION_TEXT, &plan.opts.comm_glob },
		{ 'i', "interval", "TIME", "a series: again and again, in one file",
		  KTSTR_OPTION_DURATION, &plan.interval_ns },
		{ 'n', "count", "N", "end the series after so many (default: until Ctrl-C)",
		  KTSTR_OPTION_U32, &plan.count },
		{ 'j', "jobs", "N", "readers of /proc at once (default: a share of the idle CPUs)",
		  KTSTR_OPTION_U32, &plan.opts.jobs },
		{ 0, "no-jemalloc", NULL, "do not look into other processes", KTSTR_OPTION_FLAG,
		  &plan.opts.no_jemalloc },
		{ 0, "no-calibration", NULL, "start no helper for unknown builds of jemalloc",
		  KTSTR_OPTION_FLAG, &plan.opts.no_calibration },
		{ 0, "no-smaps", NULL, "leave out smaps_rollup, which walks page tables",
		  KTSTR_OPTION_FLAG, &plan.opts.no_smaps },
		{ 0, "stats", NULL, "say what it cost, what came from where, and what is missing",
		  KTSTR_OPTION_FLAG, &plan.stats },
	};
	const struct ktstr_command command = {
		.name = "ktstr ctprof capture",
		.usage = "-o FILE [OPTION]...",
		.about = "Records what every thread of this machine has done since it was born.",
		.options = options,
		.nr_options = sizeof(options) / sizeof(options[0]),
	};
	struct ktstr_operands operands;
	int r = cli_parse(&command, argc, argv, &operands);

	if (r < 0)
		r = check_plan(&plan, &command);
	if (r < 0)
		r = ctprof_parse_collector(collector, &plan.opts.collector);
	if (r < 0)
		r = ctprof_parse_pid(pid, &plan.opts.pid);
	if (r >= 0)
		return r;
	if (plan.interval_ns == NO_INTERVAL)
		return take_one(&plan, 0, true);
	handle_signals();
	return take_series(&plan);
}
