// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <ktstr/api.h>

#include "cli.h"
#include "ctprof_text.h"
#include "watch.h"

#define NS_PER_S 1000000000ull

/* Nobody waits so long between a capture's end and the next line: the clock was set. */
#define CLOCK_SET_NS (10 * NS_PER_S)

enum { INTERVAL_MIN_MS = 10 };

struct choices {
	const char *by, *columns, *sort, *filter, *collector;
	const char *pid;
	bool json, plain;
};

static uint64_t clock_now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

void watch_forget(struct watch *w)
{
	ktstr_ctprof_movers_destroy(w->movers);
	ktstr_ctprof_destroy(w->older.snapshot);
	ktstr_ctprof_destroy(w->newer.snapshot);
	w->movers = NULL;
	w->older.snapshot = w->newer.snapshot = NULL;
}

int watch_recompute(struct watch *w, struct ktstr_error *err)
{
	const struct ktstr_ctprof_movers_opts opts = { .by = w->view.by,
						       .metrics = w->view.metrics,
						       .nr_metrics = w->view.nr_metrics,
						       .born_from_ticks = w->older.boot_ticks };

	ktstr_ctprof_movers_destroy(w->movers);
	w->movers = NULL;
	if (!w->older.snapshot)
		return 0;
	return ktstr_ctprof_movers_create(w->older.snapshot, w->newer.snapshot, &opts, &w->movers,
					  err);
}

/* When threads were read, on average, by CLOCK_MONOTONIC: the walk of /proc takes most of a
 * capture's time, the pass of BPF none that matters. */
static uint64_t read_at(const struct ktstr_ctprof *s)
{
	uint64_t took = clock_now(CLOCK_REALTIME) - s->captured_at_unix_ns;

	if (took > s->duration_ns + CLOCK_SET_NS)
		took = s->duration_ns;
	if (s->collector && !strcmp(s->collector, "procfs"))
		took /= 2;
	return clock_now(CLOCK_MONOTONIC) - took;
}

int watch_capture(struct watch *w, struct ktstr_error *err)
{
	uint64_t tick_ns = NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);
	struct watch_moment now = { 0 };
	int r;

	now.boot_ticks = (int64_t)(clock_now(CLOCK_BOOTTIME) / tick_ns);
	r = ktstr_ctprof_capture(&w->capture, &now.snapshot, err);
	if (r < 0)
		return r;
	now.mono_ns = read_at(now.snapshot);
	ktstr_ctprof_movers_destroy(w->movers);
	w->movers = NULL;
	ktstr_ctprof_destroy(w->older.snapshot);
	w->older = w->newer;
	w->newer = now;
	w->intervals += w->older.snapshot != NULL;
	w->seconds = (double)(w->newer.mono_ns - w->older.mono_ns) / (double)NS_PER_S;
	return watch_recompute(w, err);
}

static int measure(struct watch *w, bool json)
{
	struct ktstr_error err;

	if (watch_capture(w, &err) < 0)
		return cli_fail(KTSTR_EXIT_HARNESS, &err);
	if (!w->movers)
		return KTSTR_EXIT_PASS;
	return json ? watch_print_json(w) : watch_print(w);
}

static int print_all(struct watch *w, bool json)
{
	uint64_t next = clock_now(CLOCK_MONOTONIC);
	int r = measure(w, json);

	for (uint64_t i = 0; r == KTSTR_EXIT_PASS && (!w->count || i < w->count); i++) {
		uint64_t now = clock_now(CLOCK_MONOTONIC);

		next = next + w->interval_ns > now ? next + w->interval_ns : now;
		if (watch_screen_wait(&w->screen, next) == WATCH_ENDED)
			return KTSTR_EXIT_INTERRUPTED;
		r = measure(w, json);
		/* Whoever reads wants it now; and whoever stopped reading ends it. */
		if (!cli_flush_stdout())
			return KTSTR_EXIT_HARNESS;
	}
	return r;
}

/* One turn of the screen.  Return: 0; 1 at the end, its exit code in @ret_exit; -errno. */
static int turn(struct watch *w, uint64_t *next, int *ret_exit, struct ktstr_error *err)
{
	enum watch_event event = watch_screen_wait(&w->screen, w->paused ? UINT64_MAX : *next);
	bool was_paused = w->paused;
	int r = 0;

	if (event == WATCH_ENDED) {
		*ret_exit = KTSTR_EXIT_INTERRUPTED;
		return 1;
	}
	if (event == WATCH_KEY)
		r = watch_press(w, err);
	/* What passed in a pause is no interval. */
	if (event == WATCH_RESUMED || (was_paused && !w->paused)) {
		watch_forget(w);
		event = WATCH_TIME_OUT;
	}
	if (r != 0 || event != WATCH_TIME_OUT)
		return r;
	*next = clock_now(CLOCK_MONOTONIC) + w->interval_ns;
	return watch_capture(w, err);
}

static int screen_all(struct watch *w, struct ktstr_error *err)
{
	uint64_t next;
	int exit_code = KTSTR_EXIT_PASS, r;

	next = clock_now(CLOCK_MONOTONIC) + w->interval_ns;
	r = watch_capture(w, err);
	while (r == 0) {
		if (watch_draw(w) < 0)
			return ktstr_error_nomem(err);
		r = turn(w, &next, &exit_code, err);
		if (r == 0 && w->count && w->intervals > w->count)
			r = 1;
	}
	return r < 0 ? r : exit_code;
}

static int run(struct watch *w, const struct choices *c)
{
	bool interactive = !c->json && !c->plain && watch_screen_possible();
	struct ktstr_error err;
	int r = watch_screen_open(&w->screen, interactive, &err);

	if (r < 0)
		return cli_fail(KTSTR_EXIT_HARNESS, &err);
	r = interactive ? screen_all(w, &err) : print_all(w, c->json);
	watch_screen_close(&w->screen);
	watch_forget(w);
	return r < 0 ? cli_fail(KTSTR_EXIT_HARNESS, &err) : r;
}

static int add_column(struct watch_view *v, const char *name)
{
	int metric = ctprof_metric_by_name(name);

	if (metric < 0)
		return cli_failf(KTSTR_EXIT_USAGE, "no metric '%s', see 'ktstr ctprof metrics'",
				 name);
	if (v->nr_metrics == KTSTR_CTPROF_MOVERS_METRICS)
		return cli_failf(KTSTR_EXIT_USAGE, "more than %d columns at '%s'",
				 KTSTR_CTPROF_MOVERS_METRICS, name);
	for (v->sort = 0; v->sort < v->nr_metrics; v->sort++)
		if (v->metrics[v->sort] == (unsigned int)metric)
			return -1;
	v->metrics[v->nr_metrics++] = (unsigned int)metric;
	return -1;
}

static int choose_columns(struct watch *w, const struct choices *c)
{
	const char *list = c->columns;
	struct ktstr_ctprof_movers *movers = NULL;
	const struct ktstr_ctprof nothing = { 0 };
	struct ktstr_ctprof_movers_opts opts;
	struct ktstr_error err;
	char name[64];
	int r;

	while (*list) {
		size_t len = strcspn(list, ",");

		snprintf(name, sizeof(name), "%.*s", (int)(len < 63 ? len : 63), list);
		r = add_column(&w->view, name);
		if (r >= 0)
			return r;
		list += len + (list[len] == ',');
	}
	/* The sorted one is a column, or how would one see why. */
	r = c->sort || !w->view.nr_metrics ? add_column(&w->view, c->sort ? c->sort : "run_time_ns")
					   : -1;
	if (!c->sort)
		w->view.sort = 0;
	opts = (struct ktstr_ctprof_movers_opts){ .metrics = w->view.metrics,
						  .nr_metrics = w->view.nr_metrics };
	if (r < 0 && ktstr_ctprof_movers_create(&nothing, &nothing, &opts, &movers, &err) < 0)
		return cli_fail(KTSTR_EXIT_USAGE, &err);
	ktstr_ctprof_movers_destroy(movers);
	return r;
}

/* Return: -1 to go on, else an exit code. */
static int choose(struct watch *w, const struct choices *c)
{
	unsigned int by = 0;
	int r;

	while (watch_by_name(by) && strcmp(watch_by_name(by), c->by))
		by++;
	if (!watch_by_name(by))
		return cli_failf(KTSTR_EXIT_USAGE,
				 "no rows by '%s': process, thread, name or cgroup", c->by);
	w->view.by = (enum ktstr_ctprof_movers_by)by;
	if (w->interval_ns < INTERVAL_MIN_MS * 1000000ull)
		return cli_failf(KTSTR_EXIT_USAGE, "--interval is shorter than %d ms",
				 INTERVAL_MIN_MS);
	if (strlen(c->filter) >= sizeof(w->view.filter))
		return cli_failf(KTSTR_EXIT_USAGE, "--filter is longer than %zu characters",
				 sizeof(w->view.filter) - 1);
	snprintf(w->view.filter, sizeof(w->view.filter), "%s", c->filter);
	r = choose_columns(w, c);
	if (r < 0)
		r = ctprof_parse_collector(c->collector, &w->capture.collector);
	if (r < 0)
		r = ctprof_parse_pid(c->pid, &w->capture.pid);
	if (r >= 0)
		return r;
	w->capture.no_jemalloc = w->capture.no_smaps = true;
	for (size_t i = 0; i < w->view.nr_metrics; i++) {
		const char *source = ktstr_ctprof_metric_info(w->view.metrics[i])->source;

		if (!strcasecmp(source, "jemalloc"))
			w->capture.no_jemalloc = false;
		if (!strcasecmp(source, "smaps_rollup"))
			w->capture.no_smaps = false;
	}
	return -1;
}

int cmd_ctprof_watch(int argc, char **argv)
{
	struct watch w = { .interval_ns = 2 * NS_PER_S, .limit = 20 };
	struct choices c = { .by = "process",
			     .filter = "",
			     .collector = "auto",
			     .columns = "run_time_ns,wait_time_ns,voluntary_csw,nonvoluntary_csw,"
					"nr_migrations,minflt,read_bytes,write_bytes" };
	const struct ktstr_option options[] = {
		{ 'i', "interval", "TIME", "time between two captures; default 2s",
		  KTSTR_OPTION_DURATION, &w.interval_ns },
		{ 'n', "count", "N", "end after N intervals; default 0, never", KTSTR_OPTION_U64,
		  &w.count },
		{ 'g', "group-by", "WHAT", "rows: process, thread, name or cgroup",
		  KTSTR_OPTION_TEXT, &c.by },
		{ 'c', "columns", "METRIC,...", "counters, peaks and gauges, left to right",
		  KTSTR_OPTION_TEXT, &c.columns },
		{ 's', "sort", "METRIC", "largest of this first; default the first column",
		  KTSTR_OPTION_TEXT, &c.sort },
		{ 'f', "filter", "TEXT", "only rows with TEXT in the name, or with this id",
		  KTSTR_OPTION_TEXT, &c.filter },
		{ 'l', "limit", "N", "rows of each interval without a terminal; 0: all; default 20",
		  KTSTR_OPTION_U64, &w.limit },
		{ 0, "pid", "PID", "capture this process only", KTSTR_OPTION_TEXT, &c.pid },
		{ 0, "cgroup", "GLOB", "capture only threads whose cgroup matches",
		  KTSTR_OPTION_TEXT, &w.capture.cgroup_glob },
		{ 0, "comm", "GLOB", "capture only threads whose name matches", KTSTR_OPTION_TEXT,
		  &w.capture.comm_glob },
		{ 0, "collector", "NAME", "bpf, procfs, or auto: bpf where that works",
		  KTSTR_OPTION_TEXT, &c.collector },
		{ 0, "plain", NULL, "lines, as without a terminal", KTSTR_OPTION_FLAG, &c.plain },
		{ 0, "json", NULL, "one object per interval and line", KTSTR_OPTION_FLAG, &c.json },
	};
	const struct ktstr_command command = {
		.name = "ktstr ctprof watch",
		.usage = "[OPTION]...",
		.about = "Shows what threads do, per second, those that do most first.  On a\n"
			 "terminal, '?' lists the keys; elsewhere each interval is some lines.",
		.options = options,
		.nr_options = sizeof(options) / sizeof(options[0]),
	};
	struct ktstr_operands operands;
	int r = cli_parse(&command, argc, argv, &operands);

	if (r < 0)
		r = choose(&w, &c);
	return r >= 0 ? r : run(&w, &c);
}
