// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "ctprof/snapshot.h"

/* Neighbours mostly have the same names, so the last copy is tried first. */
struct last {
	const char *from[KTSTR_CTPROF_NR_TEXTS];
	const char *to[KTSTR_CTPROF_NR_TEXTS];
};

static int copy_texts(struct builder *b, struct ktstr_ctprof_thread *t, struct last *last)
{
	for (unsigned int i = 0; i < KTSTR_CTPROF_NR_TEXTS; i++) {
		const char *from = t->texts[i];

		if (!from)
			continue;
		if (from != last->from[i]) {
			last->to[i] = builder_intern(b, from, strlen(from));
			if (!last->to[i])
				return -ENOMEM;
			last->from[i] = from;
		}
		t->texts[i] = last->to[i];
	}
	return 0;
}

static int copy_leader(struct builder *b, struct ktstr_ctprof_thread *t)
{
	const struct ktstr_ctprof_leader *from = t->leader;
	struct ktstr_ctprof_leader *to;

	if (!from)
		return 0;
	t->leader = NULL;
	to = builder_leader(b, t);
	if (!to)
		return -ENOMEM;
	*to = *from;
	return 0;
}

static void add_counts(struct builder *b, const struct builder *from)
{
	struct ktstr_ctprof_summary *to = &b->head.summary;
	const struct ktstr_ctprof_summary *s = &from->head.summary;

	to->processes += s->processes;
	to->threads_walked += s->threads_walked;
	to->ghosts += s->ghosts;
	for (unsigned int f = 0; f < KTSTR_CTPROF_NR_FILES; f++)
		for (unsigned int r = 0; r < KTSTR_CTPROF_NR_REASONS; r++)
			to->failures[f][r] += s->failures[f][r];
	for (unsigned int f = 0; f < KTSTR_CTPROF_NR_FILLERS; f++)
		for (unsigned int i = 0; i < FILLED_WORDS; i++)
			b->filled[f][i] |= from->filled[f][i];
	for (unsigned int i = 0; i < KTSTR_CTPROF_NR_TEXTS; i++)
		b->head.text_filled_by[i] |= from->head.text_filled_by[i];
}

int builder_join(struct builder *b, struct builder *from)
{
	struct last last = { 0 };

	for (size_t i = 0; i < from->nr_threads; i++) {
		struct ktstr_ctprof_thread *t = builder_add_thread(b);

		if (!t)
			return b->nr_threads < KTSTR_CTPROF_MAX_THREADS ? -ENOMEM : -E2BIG;
		*t = from->threads[i];
		*builder_note(b) = from->notes[i];
		if (copy_texts(b, t, &last) < 0 || copy_leader(b, t) < 0)
			return -ENOMEM;
	}
	add_counts(b, from);
	builder_deinit(from);
	return 0;
}
