// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader.h"

enum { SLICE_DEFAULT_US = 3000, SLICE_MAX_US = 1000000, WATCHDOG_MAX_MS = 30000 };

struct fault {
	const char *name;
	uint64_t fallback;
	const char *about, *group, *checks;
	unsigned int cpus, llcs, nodes, threads;
};

static const struct fault faults[FAULTS] = {
#define FAULT(id, name, fallback, about, group, checks, cpus, llcs, nodes, threads) \
	[FAULT_##id] = { name, fallback, about, group, checks, cpus, llcs, nodes, threads },
#include "faults.def"
};

static void usage(FILE *out)
{
	fputs("usage: ktstr-sched [OPTION]...\n"
	      "Run a weighted fair sched_ext scheduler until SIGTERM or SIGINT.\n\n"
	      "  -s, --slice US         microseconds a task runs before it is asked again (3000)\n"
	      "  -w, --watchdog MS      eject it when a task waits that long, at most 30000\n"
	      "  -f, --fault NAME[=N]   break it on purpose; see --list-faults\n"
	      "  -l, --list-faults      what can be broken\n"
	      "  -j, --json             ... as an array of objects\n"
	      "  -h, --help\n",
	      out);
}

/* No text in the table needs escaping. */
static void list_faults(bool as_json)
{
	for (size_t i = 0; i < FAULTS; i++) {
		const struct fault *f = &faults[i];

		if (as_json)
			printf("%s{\"name\": \"%s\", \"n\": %llu, \"about\": \"%s\", \"group\": \"%s\", "
			       "\"checks\": \"%s\", \"cpus\": %u, \"llcs\": %u, \"nodes\": %u, \"threads\": %u}%s",
			       i ? " " : "[", f->name, (unsigned long long)f->fallback, f->about,
			       f->group, f->checks, f->cpus, f->llcs, f->nodes, f->threads,
			       i + 1 < FAULTS ? ",\n" : "]\n");
		else
			printf("%-22s %s\n", f->name, f->about);
	}
}

static bool parse_number(const char *what, const char *text, uint64_t max, uint64_t *ret_value)
{
	char *end;

	errno = 0;
	*ret_value = strtoull(text, &end, 10);
	if (text[0] >= '0' && text[0] <= '9' && !*end && !errno && *ret_value >= 1 &&
	    *ret_value <= max)
		return true;
	fprintf(stderr, "ktstr-sched: %s '%s': want a number from 1 to %llu\n", what, text,
		(unsigned long long)max);
	return false;
}

static bool parse_fault(const char *text, struct sched_options *options)
{
	const char *equals = strchr(text, '=');
	size_t length = equals ? (size_t)(equals - text) : strlen(text);

	for (size_t i = 0; i < FAULTS; i++) {
		uint64_t value = faults[i].fallback;

		if (strlen(faults[i].name) != length || strncmp(faults[i].name, text, length) != 0)
			continue;
		if (equals && !parse_number("--fault", equals + 1, UINT32_MAX, &value))
			return false;
		options->faults[i] = value;
		return true;
	}
	fprintf(stderr, "ktstr-sched: unknown fault '%s'; see --list-faults\n", text);
	return false;
}

/* Return: false for what stderr tells of. */
static bool take_option(int c, struct settings *settings, bool *wants_list, bool *wants_json)
{
	uint64_t value;

	switch (c) {
	case 'h':
		usage(stdout);
		exit(fflush(stdout) ? EXIT_USAGE : 0);
	case 's':
		if (!parse_number("--slice", optarg, SLICE_MAX_US, &value))
			return false;
		settings->options.slice_ns = value * 1000;
		return true;
	case 'w':
		if (!parse_number("--watchdog", optarg, WATCHDOG_MAX_MS, &value))
			return false;
		settings->watchdog_ms = (uint32_t)value;
		return true;
	case 'f':
		return parse_fault(optarg, &settings->options);
	case 'l':
		*wants_list = true;
		return true;
	case 'j':
		*wants_json = true;
		return true;
	default:
		return false;
	}
}

int settings_parse(int argc, char **argv, struct settings *settings)
{
	static const struct option longs[] = { { "slice", required_argument, NULL, 's' },
					       { "watchdog", required_argument, NULL, 'w' },
					       { "fault", required_argument, NULL, 'f' },
					       { "list-faults", no_argument, NULL, 'l' },
					       { "json", no_argument, NULL, 'j' },
					       { "help", no_argument, NULL, 'h' },
					       { NULL, 0, NULL, 0 } };
	bool wants_list = false, wants_json = false;
	int c;

	*settings = (struct settings){ .options.slice_ns = SLICE_DEFAULT_US * 1000ull };
	while ((c = getopt_long(argc, argv, "s:w:f:ljh", longs, NULL)) != -1)
		if (!take_option(c, settings, &wants_list, &wants_json))
			return -EINVAL;
	if (optind < argc) {
		fprintf(stderr, "ktstr-sched: unexpected '%s'\n", argv[optind]);
		return -EINVAL;
	}
	if (wants_list) {
		list_faults(wants_json);
		exit(fflush(stdout) ? EXIT_USAGE : 0);
	}
	return 0;
}
