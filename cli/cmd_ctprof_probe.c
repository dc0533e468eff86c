// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <ktstr/api.h>
#include <ktstr/ctprof.h>

#include "base/display.h"
#include "cli.h"
#include "ctprof_text.h"

enum { NAME_COLUMNS = 16, MAX_COUNT = 100000 };

struct probe {
	pid_t pid;
	uint64_t interval_ns;
	uint32_t count;
	bool json;
};

static json_t *thread_json(const struct ktstr_ctprof_thread *t)
{
	const char *comm = t->texts[KTSTR_CTPROF_TEXT_COMM];
	json_t *json = json_pack("{s:I}", "tid", (json_int_t)t->tid);
	int64_t value;

	if (comm)
		json_object_set_new(json, "comm", ctprof_text_json(comm));
	if (ktstr_ctprof_get(t, KTSTR_CTPROF_START_TIME, &value))
		json_object_set_new(json, "start_time_ticks", json_integer(value));
	if (ktstr_ctprof_get(t, KTSTR_CTPROF_ALLOCATED, &value))
		json_object_set_new(json, "allocated_bytes", json_integer(value));
	if (ktstr_ctprof_get(t, KTSTR_CTPROF_DEALLOCATED, &value))
		json_object_set_new(json, "deallocated_bytes", json_integer(value));
	if (t->jemalloc != KTSTR_JEMALLOC_OK)
		json_object_set_new(json, "error",
				    json_string(ktstr_jemalloc_tag_name(t->jemalloc)));
	return json;
}

static int print_json(const struct ktstr_ctprof *s, pid_t pid)
{
	json_t *threads = json_array();

	for (size_t i = 0; i < s->nr_threads; i++)
		json_array_append_new(threads, thread_json(&s->threads[i]));
	return cli_print_json(json_pack(
		"{s:s, s:i, s:I, s:I, s:I, s:o}", "type", "ktstr-ctprof-probe", "version", 1, "pid",
		(json_int_t)pid, "captured_at_unix_ns", (json_int_t)s->captured_at_unix_ns,
		"stop_max_ns", (json_int_t)s->summary.stop_max_ns, "threads", threads));
}

static void print_table(const struct ktstr_ctprof *s)
{
	char allocated[CTPROF_CELL], deallocated[CTPROF_CELL];

	printf("%7s %-16s %12s %12s %14s\n", "TID", "COMM", "ALLOCATED", "DEALLOCATED", "BYTES");
	for (size_t i = 0; i < s->nr_threads; i++) {
		const struct ktstr_ctprof_thread *t = &s->threads[i];
		_cleanup_strbuf_ struct strbuf name = STRBUF_INIT;
		size_t width;

		ctprof_add_name(&name, t->texts[KTSTR_CTPROF_TEXT_COMM]);
		width = display_width(strbuf_str(&name));
		printf("%7u %s%*s ", t->tid, strbuf_str(&name),
		       width < NAME_COLUMNS ? (int)(NAME_COLUMNS - width) : 0, "");
		if (t->jemalloc != KTSTR_JEMALLOC_OK)
			printf("%12s %12s %14s\n", "-", "-", ktstr_jemalloc_tag_name(t->jemalloc));
		else
			printf("%12s %12s %14" PRId64 "\n",
			       ctprof_cell(t, KTSTR_CTPROF_ALLOCATED, allocated),
			       ctprof_cell(t, KTSTR_CTPROF_DEALLOCATED, deallocated),
			       ktstr_ctprof_get_or_zero(t, KTSTR_CTPROF_ALLOCATED));
	}
}

static int probe_once(const struct probe *p)
{
	_cleanup_ctprof_ struct ktstr_ctprof *snapshot = NULL;
	const struct ktstr_ctprof_opts opts = { .pid = p->pid };
	struct ktstr_error err;
	char remedy[512];
	int r = KTSTR_EXIT_PASS;

	if (ktstr_ctprof_capture(&opts, &snapshot, &err) < 0)
		return cli_fail(KTSTR_EXIT_HARNESS, &err);
	if (p->json)
		r = print_json(snapshot, p->pid);
	else
		print_table(snapshot);
	cli_flush_stdout();
	if (r != KTSTR_EXIT_PASS || snapshot->summary.jemalloc_tags[KTSTR_JEMALLOC_OK])
		return r;
	if (ktstr_ctprof_jemalloc_remedy(&snapshot->summary, remedy, sizeof(remedy)))
		return cli_failf(KTSTR_EXIT_HARNESS, "%s", remedy);
	return cli_failf(KTSTR_EXIT_HARNESS, "no counters in process %d: %s", p->pid,
			 snapshot->nr_threads
				 ? ktstr_jemalloc_tag_name(snapshot->threads[0].jemalloc)
				 : "it ended");
}

static int probe_all(const struct probe *p)
{
	struct timespec next;
	int r = KTSTR_EXIT_PASS;

	clock_gettime(CLOCK_MONOTONIC, &next);
	for (uint32_t i = 0; i < p->count && r == KTSTR_EXIT_PASS; i++) {
		uint64_t ns = (uint64_t)next.tv_nsec + p->interval_ns;

		if (i) {
			next.tv_sec += (time_t)(ns / 1000000000);
			next.tv_nsec = (long)(ns % 1000000000);
			clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
		}
		r = probe_once(p);
	}
	return r;
}

int cmd_ctprof_probe(int argc, char **argv)
{
	struct probe p = { .interval_ns = 1000000000, .count = 1 };
	const struct ktstr_option options[] = {
		{ 'i', "interval", "TIME", "time between two readings; default 1s",
		  KTSTR_OPTION_DURATION, &p.interval_ns },
		{ 'n', "count", "N", "how many readings, 1 to 100000; default 1", KTSTR_OPTION_U32,
		  &p.count },
		{ 0, "json", NULL, "one object per reading and line", KTSTR_OPTION_FLAG, &p.json },
	};
	const struct ktstr_command command = {
		.name = "ktstr ctprof probe",
		.usage = "[OPTION]... PID",
		.about =
			"Reads how many bytes each thread of a process took from jemalloc and gave\n"
			"back to it, since the thread was born.",
		.options = options,
		.nr_options = sizeof(options) / sizeof(options[0]),
		.operands_min = 1,
		.operands_max = 1,
	};
	struct ktstr_operands operands;
	int r = cli_parse(&command, argc, argv, &operands);

	if (r < 0)
		r = ctprof_parse_pid(operands.items[0], &p.pid);
	if (r >= 0)
		return r;
	if (!p.count || p.count > MAX_COUNT)
		return cli_failf(KTSTR_EXIT_USAGE, "--count %" PRIu32 " is not in 1 to %d", p.count,
				 MAX_COUNT);
	return probe_all(&p);
}
