// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "ctprof/bpf_pass.h"
#include "ctprof/fault.h"
#include "ctprof/jemalloc.h"

/* While all threads are gone through, process by process. */
struct readers {
	struct collect *c;
	struct jemalloc *je; /* NULL: not asked */
	struct jemalloc_process process;
	bool attached;
	bool *running; /* by thread: read while it ran, and to be confirmed */
	bool any_running;
	struct jemalloc_running *threads; /* of one process */
	size_t *places;			  /* where they are in the builder */
	size_t size;
};

static void readers_deinit(struct readers *r)
{
	jemalloc_destroy(r->je);
	free(r->running);
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

/* @pid: a thread of it that lives. */
static enum ktstr_jemalloc_tag attach(struct readers *r, uint32_t pid)
{
	if (!r->attached) {
		jemalloc_attach(r->je, pid, &r->process);
		r->attached = true;
		if (r->process.tag == KTSTR_JEMALLOC_OK)
			r->c->builder->head.summary.jemalloc_processes++;
	}
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

static void read_stopped(struct readers *r, size_t i)
{
	struct ktstr_ctprof_thread *t = &r->c->builder->threads[i];
	struct jemalloc_counters counters;

	t->jemalloc = tag_at_once(r, i);
	if (t->jemalloc == KTSTR_JEMALLOC_OK)
		t->jemalloc = attach(r, t->tgid);
	if (t->jemalloc == KTSTR_JEMALLOC_OK)
		t->jemalloc = jemalloc_read(r->je, &r->process, t->tid, &counters);
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

static int read_running(struct readers *r, size_t first, size_t end)
{
	struct builder *b = r->c->builder;
	size_t nr = 0;

	if (make_room(r, end - first) < 0)
		return -ENOMEM;
	for (size_t i = first; i < end; i++) {
		b->threads[i].jemalloc = tag_at_once(r, i);
		if (b->threads[i].jemalloc == KTSTR_JEMALLOC_OK)
			b->threads[i].jemalloc = attach(r, b->threads[i].tid);
		if (b->threads[i].jemalloc != KTSTR_JEMALLOC_OK)
			continue;
		r->threads[nr].thread_pointer = b->notes[i].thread_pointer;
		r->places[nr++] = i;
	}
	if (!nr)
		return 0;
	jemalloc_read_running(&r->process, b->threads[r->places[0]].tid, r->threads, nr);
	for (size_t k = 0; k < nr; k++) {
		size_t i = r->places[k];

		b->threads[i].jemalloc = r->threads[k].tag;
		if (r->threads[k].tag != KTSTR_JEMALLOC_OK)
			continue;
		set_counters(r, i, &r->threads[k].counters, KTSTR_FILLER_VM);
		r->running[i] = r->any_running = true;
	}
	return 0;
}

static int read_process(struct readers *r, size_t first, size_t end)
{
	const uint32_t both = NOTE_IDENTITY | NOTE_THREAD_POINTER;
	bool known = true;

	r->attached = false;
	for (size_t i = first; i < end; i++)
		known = known && (tag_at_once(r, i) != KTSTR_JEMALLOC_OK ||
				  (r->c->builder->notes[i].flags & both) == both);
	if (known)
		return read_running(r, first, end);
	for (size_t i = first; i < end; i++)
		read_stopped(r, i);
	return 0;
}

/* What was read while it may have become another program is taken back. */
static int confirm(struct readers *r)
{
	struct builder *b = r->c->builder;
	int result = r->any_running ? bpf_identify(r->c) : 0;

	for (size_t i = 0; i < b->nr_threads; i++) {
		if (!r->running[i] || (result == 0 && b->notes[i].flags & NOTE_SAME))
			continue;
		thread_clear(&b->threads[i], KTSTR_CTPROF_ALLOCATED);
		thread_clear(&b->threads[i], KTSTR_CTPROF_DEALLOCATED);
		b->threads[i].jemalloc = KTSTR_JEMALLOC_THREAD_GONE;
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

	r.running = calloc(c->builder->nr_threads + 1, sizeof(*r.running));
	if (!r.running)
		return -ENOMEM;
	if (c->live && !c->opts->no_jemalloc) {
		r.je = jemalloc_create(c->opts->no_calibration, &c->builder->head.summary);
		if (!r.je)
			return -ENOMEM;
	}
	return read_all(&r);
}
