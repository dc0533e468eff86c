// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof/loader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

void loader_bad(struct loader *l)
{
	if (!l->json.error)
		l->json.error = -EBADMSG;
}

uint64_t loader_count(struct loader *l)
{
	int64_t value = pull_number(&l->json);

	if (value < 0)
		loader_bad(l);
	return (uint64_t)value;
}

const char *loader_text(struct loader *l)
{
	const char *copy;

	if (pull_null(&l->json))
		return NULL;
	pull_string(&l->json, &l->text);
	if (l->json.error)
		return NULL;
	pull_restore_bytes(&l->text);
	copy = builder_intern(l->builder, strbuf_str(&l->text), l->text.len);
	if (!copy)
		l->json.error = -ENOMEM;
	return copy;
}

void loader_strings(struct loader *l)
{
	pull_open(&l->json, '[');
	while (pull_more(&l->json, ']')) {
		if (l->nr_strings == l->strings_size) {
			size_t size = l->strings_size ? l->strings_size * 2 : 1024;
			const char **bigger = reallocarray(l->strings, size, sizeof(*bigger));

			if (!bigger) {
				l->json.error = -ENOMEM;
				return;
			}
			l->strings = bigger;
			l->strings_size = size;
		}
		l->strings[l->nr_strings] = loader_text(l);
		if (!l->strings[l->nr_strings++])
			loader_bad(l);
	}
}

/* A string as version 1 has it, the place of one in "strings", or null. */
static const char *load_reference(struct loader *l)
{
	uint64_t at;

	if (pull_peek(&l->json) == '"')
		return loader_text(l);
	if (pull_null(&l->json))
		return NULL;
	at = loader_count(l);
	if (at < l->nr_strings)
		return l->strings[at];
	loader_bad(l);
	return NULL;
}

static bool cell(struct loader *l)
{
	if (pull_more(&l->json, ']'))
		return true;
	loader_bad(l);
	return false;
}

/* The rest of a row. */
static void load_numbers(struct loader *l, const struct loader_columns *columns, uint64_t *present,
			 int64_t *values)
{
	for (size_t i = 0; i < columns->nr; i++) {
		int to = columns->to[i];
		int64_t value;
		int taken = pull_next_number(&l->json, &value);

		if (taken < 0) {
			if (!cell(l))
				return;
			if (to == LOADER_UNKNOWN) {
				pull_skip(&l->json);
				continue;
			}
			taken = !pull_null(&l->json);
			value = taken ? pull_number(&l->json) : 0;
		}
		if (taken && to != LOADER_UNKNOWN) {
			values[to] = value;
			present[to / 64] |= 1ull << (to % 64);
		}
	}
}

static void load_thread_values(struct loader *l, struct ktstr_ctprof_thread *t)
{
	for (size_t i = 0; i < l->texts.nr && cell(l); i++) {
		if (l->texts.to[i] == LOADER_UNKNOWN)
			pull_skip(&l->json);
		else
			t->texts[l->texts.to[i]] = load_reference(l);
	}
	load_numbers(l, &l->metrics, t->present, t->values);
	/* Columns without a name belong to nobody. */
	if (!l->json.error && pull_more(&l->json, ']'))
		loader_bad(l);
}

static void load_thread(struct loader *l)
{
	struct ktstr_ctprof_thread *t = builder_add_thread(l->builder);
	uint64_t ids[3] = { 0 };

	if (!t) {
		l->json.error = -ENOMEM;
		return;
	}
	pull_open(&l->json, '[');
	for (int i = 0; i < 3 && cell(l); i++)
		ids[i] = loader_count(l);
	if (ids[0] > UINT32_MAX || ids[1] > UINT32_MAX || ids[2] >= l->tags.nr) {
		loader_bad(l);
		return;
	}
	t->tgid = (uint32_t)ids[0];
	t->tid = (uint32_t)ids[1];
	/* A tag this build does not know is still no reading. */
	t->jemalloc = l->tags.to[ids[2]] == LOADER_UNKNOWN
			      ? KTSTR_JEMALLOC_NOT_ASKED
			      : (enum ktstr_jemalloc_tag)l->tags.to[ids[2]];
	load_thread_values(l, t);
}

static int compare_leader(const void *key, const void *item)
{
	const struct ktstr_ctprof_thread *t = item;
	uint32_t tgid = *(const uint32_t *)key;

	if (t->tgid != tgid)
		return tgid < t->tgid ? -1 : 1;
	return tgid < t->tid ? -1 : tgid > t->tid;
}

/* NULL: no such thread, or no memory. */
static struct ktstr_ctprof_leader *add_leader(struct loader *l, uint32_t tgid)
{
	struct builder *b = l->builder;
	struct ktstr_ctprof_leader *leader;
	struct ktstr_ctprof_thread *t = b->nr_threads ? bsearch(&tgid, b->threads, b->nr_threads,
								sizeof(*b->threads), compare_leader)
						      : NULL;

	if (!t) {
		loader_bad(l);
		return NULL;
	}
	leader = builder_leader(b, t);
	if (!leader)
		l->json.error = -ENOMEM;
	return leader;
}

static void load_leader(struct loader *l)
{
	struct ktstr_ctprof_leader *leader = NULL;
	uint64_t tgid = 0;

	pull_open(&l->json, '[');
	if (cell(l))
		tgid = loader_count(l);
	if (tgid > UINT32_MAX)
		loader_bad(l);
	else if (!l->json.error)
		leader = add_leader(l, (uint32_t)tgid);
	if (leader)
		load_numbers(l, &l->leader_metrics, &leader->present, leader->values);
	if (!l->json.error && pull_more(&l->json, ']'))
		loader_bad(l);
}

static void load_cgroup(struct loader *l)
{
	struct ktstr_ctprof_cgroup *c = builder_add_cgroup(l->builder);

	if (!c) {
		l->json.error = -ENOMEM;
		return;
	}
	pull_open(&l->json, '[');
	if (cell(l))
		c->path = loader_text(l);
	if (!c->path)
		loader_bad(l);
	for (size_t i = 0; i < l->cgroup_texts.nr && cell(l); i++) {
		if (l->cgroup_texts.to[i] == LOADER_UNKNOWN)
			pull_skip(&l->json);
		else
			c->texts[l->cgroup_texts.to[i]] = loader_text(l);
	}
	load_numbers(l, &l->cgroup_metrics, c->present, c->values);
	if (!l->json.error && pull_more(&l->json, ']'))
		loader_bad(l);
}

/* The lists that explain the rows must come before them. */
static void load_rows(struct loader *l, bool explained, void (*row)(struct loader *))
{
	if (!explained)
		loader_bad(l);
	pull_open(&l->json, '[');
	while (pull_more(&l->json, ']'))
		row(l);
}

void loader_threads(struct loader *l)
{
	load_rows(l, l->tags.known && l->texts.known && l->metrics.known, load_thread);
}

void loader_leaders(struct loader *l)
{
	if (builder_sort(l->builder) < 0)
		l->json.error = -ENOMEM;
	load_rows(l, l->leader_metrics.known, load_leader);
}

void loader_cgroups(struct loader *l)
{
	load_rows(l, l->cgroup_metrics.known, load_cgroup);
}
