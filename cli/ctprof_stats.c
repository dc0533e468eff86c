// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof_stats.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LINE_COLUMNS = 79 };

void ctprof_print_cost(const struct ktstr_ctprof *s)
{
	const struct ktstr_ctprof_summary *sum = &s->summary;

	fprintf(stderr,
		"%zu threads of %" PRIu64 " processes by %s in %.1f ms, %.1f us a thread; %" PRIu64
		" ended meanwhile\n",
		s->nr_threads, sum->processes, s->collector, (double)s->duration_ns / 1e6,
		s->nr_threads ? (double)s->duration_ns / 1e3 / (double)s->nr_threads : 0,
		sum->ghosts);
	if (sum->stops)
		fprintf(stderr, "%" PRIu64 " threads stopped, %.1f us each, longest %.1f us\n",
			sum->stops, (double)sum->stop_total_ns / 1e3 / (double)sum->stops,
			(double)sum->stop_max_ns / 1e3);
	else if (sum->jemalloc_tags[KTSTR_JEMALLOC_OK])
		fprintf(stderr, "no thread was stopped\n");
}

/* A list of words that goes on in the next line. */
struct list {
	size_t column, indent;
};

static void print_word(struct list *l, const char *word)
{
	if (l->column + 1 + strlen(word) > LINE_COLUMNS) {
		fprintf(stderr, "\n%*s", (int)l->indent, "");
		l->column = l->indent;
	}
	l->column += (size_t)fprintf(stderr, " %s", word);
}

static void print_filled(const struct ktstr_ctprof *s, const char *title, uint8_t mask, bool by)
{
	struct list l = { 0 };

	for (unsigned int m = 0; m < KTSTR_CTPROF_NR_METRICS + KTSTR_CTPROF_NR_TEXTS; m++) {
		bool text = m >= KTSTR_CTPROF_NR_METRICS;
		unsigned int i = text ? m - KTSTR_CTPROF_NR_METRICS : m;
		uint8_t filled = text ? s->text_filled_by[i] : s->filled_by[i];

		if (by ? !(filled & mask) : filled)
			continue;
		if (!l.column)
			l.column = l.indent = (size_t)fprintf(stderr, "%s:", title);
		print_word(&l,
			   (text ? ktstr_ctprof_text_info(i) : ktstr_ctprof_metric_info(i))->name);
	}
	if (l.column)
		fprintf(stderr, "\n");
}

static void print_reasons(const struct ktstr_ctprof_summary *sum)
{
	for (unsigned int f = 0; f < KTSTR_CTPROF_NR_FILES; f++)
		for (unsigned int r = 0; r < KTSTR_CTPROF_NR_REASONS; r++)
			if (sum->failures[f][r])
				fprintf(stderr, "%s gave nothing of %" PRIu64 ": %s\n",
					ktstr_ctprof_file_name(f), sum->failures[f][r],
					ktstr_ctprof_reason_name(r));
	for (unsigned int t = 0; t < KTSTR_JEMALLOC_NR_TAGS; t++)
		if (sum->jemalloc_tags[t])
			fprintf(stderr, "jemalloc of %" PRIu64 " threads: %s\n",
				sum->jemalloc_tags[t], ktstr_jemalloc_tag_name(t));
}

void ctprof_print_sources(const struct ktstr_ctprof *s)
{
	for (unsigned int f = 0; f < KTSTR_CTPROF_NR_FILLERS; f++)
		print_filled(s, ktstr_ctprof_filler_name(f), (uint8_t)(1u << f), true);
	print_filled(s, "absent", 0, false);
	print_reasons(&s->summary);
	for (size_t i = 0; i < s->nr_warnings; i++)
		fprintf(stderr, "%s\n", s->warnings[i]);
}

void ctprof_print_remedies(const struct ktstr_ctprof *s)
{
	char text[512];

	if (s->summary.hidden)
		fprintf(stderr,
			"processes of others are hidden and not in the record: /proc is mounted "
			"with hidepid; run as root, or in the group it names\n");
	if (ktstr_ctprof_remedy(&s->summary, text, sizeof(text)))
		fprintf(stderr, "%s\n", text);
	if (ktstr_ctprof_jemalloc_remedy(&s->summary, text, sizeof(text)))
		fprintf(stderr, "%s\n", text);
}
