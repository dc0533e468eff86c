// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Times captures of this machine.
 *
 * usage: bench_ctprof RUNS COLLECTOR[,no-jemalloc][,no-smaps][,jobs=N][,pid=PID][,comm=GLOB]
 *                          [,write=FILE]...
 * Each run makes one capture of every kind, one right after the other, and prints one line of
 * "threads nanoseconds" pairs.  The time is that of the call, not of what is done with its result.
 * The last line is "peak BYTES": the most memory that this program had.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <ktstr/api.h>
#include <ktstr/ctprof.h>

enum { KINDS_MAX = 8 };

struct kind {
	struct ktstr_ctprof_opts opts;
	const char *file; /* NULL: not saved */
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int parse_word(const char *word, struct kind *kind)
{
	struct ktstr_ctprof_opts *opts = &kind->opts;

	if (!strcmp(word, "bpf"))
		opts->collector = KTSTR_COLLECTOR_BPF;
	else if (!strcmp(word, "auto"))
		opts->collector = KTSTR_COLLECTOR_AUTO;
	else if (!strcmp(word, "procfs"))
		opts->collector = KTSTR_COLLECTOR_PROCFS;
	else if (!strcmp(word, "no-jemalloc"))
		opts->no_jemalloc = true;
	else if (!strcmp(word, "no-smaps"))
		opts->no_smaps = true;
	else if (!strncmp(word, "jobs=", 5))
		opts->jobs = (unsigned int)strtoul(word + 5, NULL, 10);
	else if (!strncmp(word, "pid=", 4))
		opts->pid = (pid_t)strtoul(word + 4, NULL, 10);
	else if (!strncmp(word, "comm=", 5))
		opts->comm_glob = word + 5;
	else if (!strncmp(word, "write=", 6))
		kind->file = word + 6;
	else
		return -1;
	return 0;
}

static int parse_kind(char *text, struct kind *kind)
{
	char *rest = text, *word;

	while ((word = strsep(&rest, ",")))
		if (parse_word(word, kind) < 0) {
			fprintf(stderr, "bench_ctprof: '%s' is not understood\n", word);
			return -1;
		}
	return 0;
}

static int capture(const struct kind *kind, const char *end)
{
	struct ktstr_ctprof *snapshot = NULL;
	uint64_t start = now_ns();
	struct ktstr_error err;

	int r = ktstr_ctprof_capture(&kind->opts, &snapshot, &err);

	if (r == 0)
		printf("%zu %llu%s", snapshot->nr_threads, (unsigned long long)(now_ns() - start),
		       end);
	if (r == 0 && kind->file)
		r = ktstr_ctprof_write(snapshot, kind->file, &err);
	if (r < 0)
		fprintf(stderr, "bench_ctprof: %s\n", err.text);
	ktstr_ctprof_destroy(snapshot);
	return r;
}

static int print_peak(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	unsigned long long kib = 0;
	char line[256];

	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "VmHWM: %llu kB", &kib) == 1)
			break;
	if (status)
		fclose(status);
	printf("peak %llu\n", kib << 10);
	return kib ? 0 : KTSTR_EXIT_HARNESS;
}

int main(int argc, char **argv)
{
	unsigned long runs = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;
	struct kind kinds[KINDS_MAX] = { 0 };
	int nr = argc - 2;

	if (!runs || nr > KINDS_MAX) {
		fprintf(stderr, "usage: bench_ctprof RUNS KIND...\n");
		return KTSTR_EXIT_USAGE;
	}
	for (int i = 0; i < nr; i++)
		if (parse_kind(argv[i + 2], &kinds[i]) < 0)
			return KTSTR_EXIT_USAGE;
	setlinebuf(stdout);
	for (unsigned long run = 0; run < runs; run++)
		for (int i = 0; i < nr; i++)
			if (capture(&kinds[i], i + 1 < nr ? " " : "\n") < 0)
				return KTSTR_EXIT_HARNESS;
	return print_peak();
}
