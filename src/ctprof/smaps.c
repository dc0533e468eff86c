// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ctprof/collect.h"
#include "ctprof/crew.h"
#include "ctprof/procfs.h"

enum { ROLLUP_BYTES = 8192 };

/* One of the threads that read roll-ups. */
struct roller {
	const struct collect *collect;
	const size_t *leaders; /* as places in the builder */
	uint64_t failures[KTSTR_CTPROF_NR_REASONS];
};

static int read_rollup(const struct collect *c, const struct ktstr_ctprof_thread *t)
{
	_cleanup_close_ int fd = -1;
	char path[32], text[ROLLUP_BYTES];
	ssize_t n;

	snprintf(path, sizeof(path), "%u/smaps_rollup", t->tgid);
	fd = openat(c->proc_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text));
	if (n < 0)
		return -errno;
	return procfs_parse_smaps_rollup((struct span){ text, (size_t)n },
					 (struct ktstr_ctprof_leader *)t->leader);
}

static enum ktstr_ctprof_reason reason_for(const struct collect *c, uint32_t tgid, int error)
{
	char path[16];

	snprintf(path, sizeof(path), "%u", tgid);
	if (error == -ENOENT && faccessat(c->proc_fd, path, F_OK, 0) < 0)
		return KTSTR_CTPROF_REASON_VANISHED;
	return collect_reason(error);
}

static int roll(void *member, size_t piece)
{
	struct roller *roller = member;
	const struct collect *c = roller->collect;
	const struct ktstr_ctprof_thread *t = &c->builder->threads[roller->leaders[piece]];
	int r = read_rollup(c, t);

	/* A copy of /proc may have been made without them. */
	if (r < 0 && (c->live || r != -ENOENT))
		roller->failures[reason_for(c, t->tgid, r)]++;
	return 0;
}

static int list_leaders(struct builder *b, size_t *leaders, size_t *ret_nr)
{
	size_t nr = 0;

	for (size_t i = 0; i < b->nr_threads; i++) {
		struct ktstr_ctprof_thread *t = &b->threads[i];

		if (t->tid != t->tgid || b->notes[i].flags & (NOTE_KERNEL_THREAD | NOTE_GONE))
			continue;
		if (!builder_leader(b, t))
			return -ENOMEM;
		leaders[nr++] = i;
	}
	*ret_nr = nr;
	return 0;
}

static void mark_filled(struct builder *b, const struct ktstr_ctprof_leader *leader)
{
	for (unsigned int i = 0; i < KTSTR_CTPROF_NR_LEADER_METRICS; i++)
		if (leader->present >> i & 1)
			builder_fill(b, KTSTR_FILLER_PROCFS, KTSTR_CTPROF_NR_THREAD_METRICS + i);
}

/* Processes that answered nothing have no block, rather than an empty one. */
static void finish(struct builder *b, const size_t *leaders, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		struct ktstr_ctprof_thread *t = &b->threads[leaders[i]];

		if (!t->leader->present)
			t->leader = NULL;
		else
			mark_filled(b, t->leader);
	}
}

int collect_smaps(struct collect *c)
{
	struct builder *b = c->builder;
	unsigned int jobs = c->opts->jobs ? c->opts->jobs : crew_size();
	_cleanup_free_ size_t *leaders = NULL;
	struct roller rollers[CREW_MAX];
	struct crew crew = { .work = roll, .nr_members = jobs < CREW_MAX ? jobs : CREW_MAX };
	int r;

	if (c->opts->no_smaps || !b->nr_threads)
		return 0;
	leaders = calloc(b->nr_threads, sizeof(*leaders));
	if (!leaders)
		return -ENOMEM;
	r = list_leaders(b, leaders, &crew.nr_pieces);
	if (r < 0)
		return r;
	for (unsigned int i = 0; i < crew.nr_members; i++) {
		rollers[i] = (struct roller){ .collect = c, .leaders = leaders };
		crew.members[i] = &rollers[i];
	}
	r = crew_run(&crew);
	for (unsigned int i = 0; i < crew.nr_members; i++)
		for (unsigned int reason = 0; reason < KTSTR_CTPROF_NR_REASONS; reason++)
			b->head.summary.failures[KTSTR_CTPROF_FILE_SMAPS_ROLLUP][reason] +=
				rollers[i].failures[reason];
	finish(b, leaders, crew.nr_pieces);
	return r;
}
