// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>

#include "base/cleanup.h"
#include "ctprof/collect.h"
#include "ctprof/fault.h"
#include "ctprof/jemalloc.h"

/* The process whose threads are being read. */
struct process {
	struct jemalloc_process jemalloc;
	bool attached;
};

static void attach(const struct collect *c, struct jemalloc *je, uint32_t tgid, struct process *p)
{
	if (p->attached && p->jemalloc.tgid == tgid)
		return;
	jemalloc_attach(je, tgid, &p->jemalloc);
	p->attached = true;
	if (p->jemalloc.tag == KTSTR_JEMALLOC_OK)
		c->builder->head.summary.jemalloc_processes++;
}

static enum ktstr_jemalloc_tag read_thread(const struct collect *c, struct jemalloc *je,
					   struct process *p, size_t index,
					   struct jemalloc_counters *ret_counters)
{
	const struct ktstr_ctprof_thread *t = &c->builder->threads[index];
	uint32_t flags = c->builder->notes[index].flags;

	if (!je)
		return KTSTR_JEMALLOC_NOT_ASKED;
	if (flags & NOTE_KERNEL_THREAD)
		return KTSTR_JEMALLOC_KERNEL_THREAD;
	if (c->foreign)
		return KTSTR_JEMALLOC_FOREIGN_PROC;
	if (t->tgid == c->self)
		return KTSTR_JEMALLOC_SELF;
	if (flags & NOTE_GONE)
		return KTSTR_JEMALLOC_THREAD_GONE;
	attach(c, je, t->tgid, p);
	if (p->jemalloc.tag != KTSTR_JEMALLOC_OK)
		return p->jemalloc.tag;
	return jemalloc_read(je, &p->jemalloc, t->tid, ret_counters);
}

static void fill(const struct collect *c, struct jemalloc *je, struct process *p, size_t index)
{
	struct ktstr_ctprof_thread *t = &c->builder->threads[index];
	struct jemalloc_counters counters = { 4096, 4096 };

	t->jemalloc = read_thread(c, je, p, index, &counters);
	c->builder->head.summary.jemalloc_tags[t->jemalloc]++;
	if (t->jemalloc != KTSTR_JEMALLOC_OK &&
	    !(c->builder->notes[index].flags & NOTE_KERNEL_THREAD &&
	      ctprof_fault() == KTSTR_CTPROF_FAULT_KERNEL_THREADS))
		return;
	if (counters.allocated > INT64_MAX || counters.deallocated > INT64_MAX)
		return;
	thread_set(t, KTSTR_CTPROF_ALLOCATED, (int64_t)counters.allocated);
	thread_set(t, KTSTR_CTPROF_DEALLOCATED, (int64_t)counters.deallocated);
	builder_fill(c->builder, KTSTR_FILLER_PTRACE, KTSTR_CTPROF_ALLOCATED);
	builder_fill(c->builder, KTSTR_FILLER_PTRACE, KTSTR_CTPROF_DEALLOCATED);
}

int collect_jemalloc(struct collect *c)
{
	_cleanup_(jemalloc_destroyp) struct jemalloc *je = NULL;
	struct process p = { 0 };

	if (c->live && !c->opts->no_jemalloc) {
		je = jemalloc_create(c->opts->no_calibration, &c->builder->head.summary);
		if (!je)
			return -ENOMEM;
	}
	for (size_t i = 0; i < c->builder->nr_threads; i++)
		fill(c, je, &p, i);
	return 0;
}
