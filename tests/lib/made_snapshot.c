// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "tests/lib/made_snapshot.h"

#include <stdio.h>
#include <stdlib.h>

struct made {
	struct ktstr_ctprof snapshot;
	struct ktstr_ctprof_thread *threads;
	struct ktstr_ctprof_leader *leaders;
	struct ktstr_ctprof_cgroup *cgroups;
};

static void *alloc(size_t nr, size_t size)
{
	void *p = calloc(nr, size);

	if (!p) {
		perror("made_snapshot");
		exit(1);
	}
	return p;
}

struct made *made_create(void)
{
	struct made *m = alloc(1, sizeof(*m));

	m->threads = alloc(MADE_THREADS, sizeof(*m->threads));
	m->leaders = alloc(MADE_THREADS, sizeof(*m->leaders));
	m->cgroups = alloc(MADE_CGROUPS, sizeof(*m->cgroups));
	m->snapshot.kernel = "6.12.0";
	m->snapshot.collector = "made";
	made_at(m, 0);
	return m;
}

void made_destroy(struct made *m)
{
	free(m->threads);
	free(m->leaders);
	free(m->cgroups);
	free(m);
}

struct ktstr_ctprof_thread *made_thread(struct made *m, uint32_t tgid, uint32_t tid,
					const char *pcomm, const char *comm, const char *cgroup)
{
	struct ktstr_ctprof_thread *t;

	if (m->snapshot.nr_threads == MADE_THREADS) {
		fprintf(stderr, "made_snapshot: more than %d threads\n", MADE_THREADS);
		exit(1);
	}
	t = &m->threads[m->snapshot.nr_threads++];
	t->tgid = tgid;
	t->tid = tid;
	t->texts[KTSTR_CTPROF_TEXT_PCOMM] = pcomm;
	t->texts[KTSTR_CTPROF_TEXT_COMM] = comm;
	t->texts[KTSTR_CTPROF_TEXT_CGROUP] = cgroup;
	made_put(m, t, KTSTR_CTPROF_START_TIME, 100 + (int64_t)tid);
	return t;
}

void made_put(struct made *m, struct ktstr_ctprof_thread *t, unsigned int metric, int64_t value)
{
	if (metric >= KTSTR_CTPROF_NR_THREAD_METRICS) {
		struct ktstr_ctprof_leader *leader = &m->leaders[t - m->threads];

		metric -= KTSTR_CTPROF_NR_THREAD_METRICS;
		leader->present |= 1ull << metric;
		leader->values[metric] = value;
		t->leader = leader;
		return;
	}
	t->present[metric / 64] |= 1ull << (metric % 64);
	t->values[metric] = value;
}

void made_drop(struct ktstr_ctprof_thread *t, unsigned int metric)
{
	t->present[metric / 64] &= ~(1ull << (metric % 64));
}

struct ktstr_ctprof_cgroup *made_group(struct made *m, const char *path)
{
	if (m->snapshot.nr_cgroups == MADE_CGROUPS) {
		fprintf(stderr, "made_snapshot: more than %d cgroups\n", MADE_CGROUPS);
		exit(1);
	}
	m->cgroups[m->snapshot.nr_cgroups].path = path;
	return &m->cgroups[m->snapshot.nr_cgroups++];
}

void made_group_put(struct ktstr_ctprof_cgroup *c, unsigned int metric, int64_t value)
{
	c->present[metric / 64] |= 1ull << (metric % 64);
	c->values[metric] = value;
}

void made_host_put(struct made *m, unsigned int metric, int64_t value)
{
	m->snapshot.host.present[metric / 64] |= 1ull << (metric % 64);
	m->snapshot.host.values[metric] = value;
}

void made_host_text(struct made *m, unsigned int text, const char *value)
{
	m->snapshot.host.texts[text] = value;
}

void made_at(struct made *m, double seconds)
{
	m->snapshot.captured_at_unix_ns = 1800000000000000000u + (uint64_t)(int64_t)(seconds * 1e9);
}

const struct ktstr_ctprof *made_snapshot(struct made *m)
{
	m->snapshot.threads = m->threads;
	m->snapshot.cgroups = m->cgroups;
	return &m->snapshot;
}

struct ktstr_ctprof_comparison *made_compare(struct made *a, struct made *b,
					     const struct ktstr_ctprof_compare_opts *opts)
{
	struct ktstr_ctprof_side before = { .snapshot = made_snapshot(a), .name = "a" };
	struct ktstr_ctprof_side after = { .name = "b" };
	struct ktstr_ctprof_comparison *c = NULL;
	struct ktstr_error err;

	if (b)
		after.snapshot = made_snapshot(b);
	if (ktstr_ctprof_compare(&before, b ? &after : NULL, opts, &c, &err) < 0) {
		fprintf(stderr, "made_snapshot: %s\n", err.text);
		exit(1);
	}
	return c;
}

int made_set_up(void **state)
{
	struct made_pair *pair = alloc(1, sizeof(*pair));

	pair->a = made_create();
	pair->b = made_create();
	*state = pair;
	return 0;
}

int made_tear_down(void **state)
{
	struct made_pair *pair = *state;

	made_destroy(pair->a);
	made_destroy(pair->b);
	free(pair);
	return 0;
}
