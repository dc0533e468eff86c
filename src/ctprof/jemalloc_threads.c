// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "ctprof/bpf_pass.h"
#include "ctprof/fault.h"
#include "ctprof/jemalloc.h"
#include "ctprof/procfs.h"

/* While all threads are gone through, process by process. */
struct readers {
	struct collect *c;
	struct jemalloc *je; /* NULL: not asked */
	struct jemalloc_process process;
	bool attached;
	size_t *through; /* by thread: 1 + by whose number it was read, to be confirmed; 0: none */
	bool any_running;
	struct jemalloc_running *threads; /* of one process */
	size_t *places;			  /* where they are in the builder */
	size_t size;
};

static void readers_deinit(struct readers *r)
{
	jemalloc_destroy(r->je);
	free(r->through);
	free(r->threads);
	free(r->places);
}

/* What makes looking at a thread needless, or impossible. */
static enum ktstr_jemalloc_tag tag_at_once(const struct readers *r, size_t i)
{
	const struct ktstr_ctprof_thread *t = &r->c->builder->threads[i];
	uint32_t flags = r->c->builder->notes[i].flags;

	if (!r->je)
		return KTSTR_JEMALLOC_NOT_ASKED;
	if (flags & NOTE_KERNEL_THREAD)
		return KTSTR_JEMALLOC_KERNEL_THREAD;
	if (r->c->foreign)
		return KTSTR_JEMALLOC_FOREIGN_PROC;
	if (t->tgid == r->c->self)
		return KTSTR_JEMALLOC_SELF;
	if (flags & NOTE_GONE)
		return KTSTR_JEMALLOC_THREAD_GONE;
	return KTSTR_JEMALLOC_OK;
}

/* The leader may have ended before the others, and any of the others meanwhile. */
static enum ktstr_jemalloc_tag attach(struct readers *r, const struct ktstr_ctprof_thread *t)
{
	if (!r->attached)
		jemalloc_attach(r->je, t->tgid, t->tgid, &r->process);
	r->attached = true;
	if (r->process.tag == KTSTR_JEMALLOC_THREAD_GONE)
		jemalloc_attach(r->je, t->tgid, t->tid, &r->process);
	return r->process.tag;
}

static void set_counters(struct readers *r, size_t i, const struct jemalloc_counters *counters,
			 enum ktstr_ctprof_filler filler)
{
	struct builder *b = r->c->builder;

	if (counters->allocated > INT64_MAX || counters->deallocated > INT64_MAX)
		return;
	thread_set(&b->threads[i], KTSTR_CTPROF_ALLOCATED, (int64_t)counters->allocated);
	thread_set(&b->threads[i], KTSTR_CTPROF_DEALLOCATED, (int64_t)counters->deallocated);
	builder_fill(b, filler, KTSTR_CTPROF_ALLOCATED);
	builder_fill(b, filler, KTSTR_CTPROF_DEALLOCATED);
}

/* And is no other thread that was given its number. */
static bool lives(const struct ktstr_ctprof_thread *t)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(4096);
	struct ktstr_ctprof_thread now = { 0 };
	struct procfs_extra extra;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/task/%u/stat", t->tgid, t->tid);
	return io_read_file(path, &text, NULL) == 0 &&
	       procfs_parse_stat((struct span){ strbuf_str(&text), text.len }, &now, &extra) == 0 &&
	       !extra.zombie &&
	       ktstr_ctprof_get_or_zero(&now, KTSTR_CTPROF_START_TIME) ==
		       ktstr_ctprof_get_or_zero(t, KTSTR_CTPROF_START_TIME);
}

static void read_stopped(struct readers *r, size_t i)
{
	struct ktstr_ctprof_thread *t = &r->c->builder->threads[i];
	struct jemalloc_counters counters;

	t->jemalloc = tag_at_once(r, i);
	if (t->jemalloc == KTSTR_JEMALLOC_OK)
		t->jemalloc = attach(r, t);
	if (t->jemalloc == KTSTR_JEMALLOC_OK)
		t->jemalloc = jemalloc_read(r->je, &r->process, t->tid, &counters);
	if (t->jemalloc == KTSTR_JEMALLOC_OK && !lives(t))
		t->jemalloc = KTSTR_JEMALLOC_THREAD_GONE;
	if (t->jemalloc == KTSTR_JEMALLOC_OK)
		set_counters(r, i, &counters, KTSTR_FILLER_PTRACE);
}

static int make_room(struct readers *r, size_t nr)
{
	struct jemalloc_running *threads;
	size_t *places;

	if (nr <= r->size)
		return 0;
	threads = reallocarray(r->threads, nr, sizeof(*threads));
	if (!threads)
		return -ENOMEM;
	r->threads = threads;
	places = reallocarray(r->places, nr, sizeof(*places));
	if (!places)
		return -ENOMEM;
	r->places = places;
	r->size = nr;
	return 0;
}

/* Return: false if that thread ended before all was read by its number. */
static bool read_through(struct readers *r, size_t through, size_t nr)
{
	struct builder *b = r->c->builder;
	const struct ktstr_ctprof_thread *t = &b->threads[through];

	for (size_t k = 0; k < nr; k++)
		r->threads[k].thread_pointer = b->notes[r->places[k]].thread_pointer;
	jemalloc_attach(r->je, t->tgid, t->tid, &r->process);
	if (r->process.tag == KTSTR_JEMALLOC_OK)
		jemalloc_read_running(&r->process, t->tid, r->threads, nr);
	for (size_t k = 0; k < nr; k++) {
		if (r->process.tag != KTSTR_JEMALLOC_OK)
			r->threads[k].tag = r->process.tag;
		if (r->threads[k].tag == KTSTR_JEMALLOC_THREAD_GONE)
			return false;
	}
	for (size_t k = 0; k < nr; k++) {
		size_t i = r->places[k];

		b->threads[i].jemalloc = r->threads[k].tag;
		if (r->threads[k].tag != KTSTR_JEMALLOC_OK)
			continue;
		set_counters(r, i, &r->threads[k].counters, KTSTR_FILLER_VM);
		r->through[i] = through + 1;
		r->any_running = true;
	}
	return true;
}

static bool has_folder(uint32_t tgid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%u", tgid);
	return access(path, F_OK) == 0;
}

/* By the leader's number, as the others come and go; by theirs if it is the leader that went. */
static void read_through_any(struct readers *r, size_t nr)
{
	const struct ktstr_ctprof_thread *threads = r->c->builder->threads;
	size_t leader = 0;

	while (leader < nr && threads[r->places[leader]].tid != threads[r->places[leader]].tgid)
		leader++;
	if (leader < nr && read_through(r, r->places[leader], nr))
		return;
	for (size_t k = 0; k < nr && has_folder(threads[r->places[k]].tgid); k++)
		if (k != leader && read_through(r, r->places[k], nr))
			return;
	for (size_t k = 0; k < nr; k++)
		r->c->builder->threads[r->places[k]].jemalloc = KTSTR_JEMALLOC_THREAD_GONE;
}

static int read_running(struct readers *r, size_t first, size_t end)
{
	struct builder *b = r->c->builder;
	size_t nr = 0;

	if (make_room(r, end - first) < 0)
		return -ENOMEM;
	for (size_t i = first; i < end; i++) {
		b->threads[i].jemalloc = tag_at_once(r, i);
		if (b->threads[i].jemalloc == KTSTR_JEMALLOC_OK)
			r->places[nr++] = i;
	}
	if (nr)
		read_through_any(r, nr);
	return 0;
}

static int read_process(struct readers *r, size_t first, size_t end)
{
	const uint32_t both = NOTE_IDENTITY | NOTE_THREAD_POINTER;
	bool known = true;

	int result = 0;

	r->attached = false;
	r->process.tag = KTSTR_JEMALLOC_NOT_FOUND;
	for (size_t i = first; i < end; i++)
		known = known && (tag_at_once(r, i) != KTSTR_JEMALLOC_OK ||
				  (r->c->builder->notes[i].flags & both) == both);
	if (known)
		result = read_running(r, first, end);
	for (size_t i = first; i < end && !known; i++)
		read_stopped(r, i);
	if (r->process.tag == KTSTR_JEMALLOC_OK)
		r->c->builder->head.summary.jemalloc_processes++;
	return result;
}

static void take_back(struct readers *r, size_t i, enum ktstr_jemalloc_tag tag)
{
	struct ktstr_ctprof_thread *t = &r->c->builder->threads[i];

	thread_clear(t, KTSTR_CTPROF_ALLOCATED);
	thread_clear(t, KTSTR_CTPROF_DEALLOCATED);
	t->jemalloc = tag;
}

/* It ended, or became another program, or so did the one by whose number it was read. */
static void read_again(struct readers *r, size_t i)
{
	const struct ktstr_ctprof_thread *t = &r->c->builder->threads[i];

	take_back(r, i, KTSTR_JEMALLOC_THREAD_GONE);
	if (!lives(t))
		return;
	r->attached = r->attached && r->process.tgid == t->tgid;
	read_stopped(r, i);
}

static bool is_same(const struct readers *r, size_t i)
{
	return r->c->builder->notes[i].flags & NOTE_SAME;
}

/* What was read while it may have become another program is taken back. */
static int confirm(struct readers *r)
{
	int result = r->any_running ? bpf_identify(r->c) : 0;

	r->attached = false;
	for (size_t i = 0; i < r->c->builder->nr_threads && result != -ENOMEM; i++) {
		size_t through = r->through[i];

		if (through && (result < 0 || !is_same(r, i) || !is_same(r, through - 1)))
			read_again(r, i);
	}
	return result == -ENOMEM ? result : 0;
}

static void plant_fault(struct readers *r, size_t i)
{
	if (r->c->builder->notes[i].flags & NOTE_KERNEL_THREAD)
		set_counters(r, i, &(struct jemalloc_counters){ 4096, 4096 }, KTSTR_FILLER_VM);
}

static int read_all(struct readers *r)
{
	bool is_faulty = ctprof_fault() == KTSTR_CTPROF_FAULT_KERNEL_THREADS;
	struct builder *b = r->c->builder;
	int result = 0;

	for (size_t first = 0, end; first < b->nr_threads && result == 0; first = end) {
		end = first;
		while (end < b->nr_threads && b->threads[end].tgid == b->threads[first].tgid)
			end++;
		result = read_process(r, first, end);
	}
	if (result == 0)
		result = confirm(r);
	for (size_t i = 0; i < b->nr_threads; i++) {
		b->head.summary.jemalloc_tags[b->threads[i].jemalloc]++;
		if (is_faulty)
			plant_fault(r, i);
	}
	return result;
}

int collect_jemalloc(struct collect *c)
{
	_cleanup_(readers_deinit) struct readers r = { .c = c };

	r.through = calloc(c->builder->nr_threads + 1, sizeof(*r.through));
	if (!r.through)
		return -ENOMEM;
	if (c->live && !c->opts->no_jemalloc) {
		r.je = jemalloc_create(c->opts->no_calibration, &c->builder->head.summary);
		if (!r.je)
			return -ENOMEM;
	}
	return read_all(&r);
}
