// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/parse.h"
#include "ctprof/aside.h"
#include "ctprof/bpf_pass.h"
#include "ctprof/bpf_roll.h"
#include "ctprof/fault.h"
#include "ctprof/procfs.h"
#include "ctprof/taskstats.h"

enum { MASK_TEXT_BYTES = 40960, ORPHANS_MAX = 64 };

/* One capture. */
struct gathering {
	struct collect *c;
	struct bpf_loaded loaded;
	struct ctprof_config config;
	struct bpf_units units;
	struct bpf_paths *paths;
	unsigned int readers;		/* of /proc, beside the pass and with it */
	bool has_cgroups;		/* procfs shows a v2 path */
	bool saw_first;			/* the first process */
	const struct ctprof_name *name; /* of the next thread; NULL: it has none */
	struct bpf_roll roll;
	struct aside aside;
	const char *comm; /* of the thread added last */
	/* The affinity seen last, and its text. */
	ctprof_u64 mask[CTPROF_MASK_WORDS];
	const char *mask_text;
	char mask_buf[MASK_TEXT_BYTES];
};

static void gathering_free(struct gathering **at)
{
	struct gathering *g = *at;

	if (!g)
		return;
	aside_deinit(&g->aside);
	bpf_give(&g->loaded);
	bpf_paths_destroyp(&g->paths);
	bpf_roll_deinit(&g->roll);
	free(g);
}

/* --- the machine ---------------------------------------------------------------------------- */
/* As many as the kernel prints of a set, which may hold bits of CPUs that cannot be. */
static int count_cpus(uint32_t *ret_cpus, struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(4096);
	const char *last;
	int r;

	r = io_read_file("/sys/devices/system/cpu/possible", &text, NULL);
	if (r == 0) {
		text.data[strcspn(text.data, "\n")] = '\0';
		last = text.data + strlen(text.data);
		while (last > text.data && last[-1] >= '0' && last[-1] <= '9')
			last--;
		r = parse_u32(last, ret_cpus);
	}
	if (r < 0 || *ret_cpus >= CTPROF_MASK_WORDS * 64)
		return ktstr_error_set(err, -EOPNOTSUPP,
				       "the BPF collector cannot work here: the number of CPUs "
				       "is not in /sys/devices/system/cpu/possible");
	(*ret_cpus)++;
	return 0;
}

static bool is_file_one(const char *path)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(64);

	return io_read_file(path, &text, NULL) == 0 && text.len && text.data[0] == '1';
}

static bool has_cgroup2(void)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(1 << 20);
	struct span path;

	return io_read_file("/proc/self/cgroup", &text, NULL) == 0 &&
	       procfs_parse_cgroup((struct span){ strbuf_str(&text), text.len }, &path) == 0;
}

/* What cannot be told costs time, nothing else. */
static void look_how_busy(struct gathering *g)
{
	const struct ktstr_ctprof_opts *opts = g->c->opts;
	struct crew_machine machine = { .size = 1 };
	size_t nr = g->units.has_statistics ? CTPROF_NR_SLOTS : CTPROF_STATISTICS;

	if (crew_look(&machine) == 0 && !opts->pid)
		g->roll.store.expected = machine.threads * (offsetof(struct ctprof_thread, values) +
							    nr * sizeof(ctprof_u64));
	g->readers = opts->jobs ? opts->jobs : machine.size;
}

static int look_around(struct gathering *g, struct ktstr_error *err)
{
	int r = count_cpus(&g->config.nr_cpus, err);

	if (r < 0)
		return r;
	g->config.mask_words = (g->config.nr_cpus + 63) / 64;
	g->units.page_bytes = (uint32_t)sysconf(_SC_PAGESIZE);
	g->units.has_statistics = is_file_one("/proc/sys/kernel/sched_schedstats");
	g->config.has_statistics = g->units.has_statistics;
	g->units.has_irq = taskstats_kernel().irq;
	g->has_cgroups = has_cgroup2();
	look_how_busy(g);
	return 0;
}

/* --- threads -------------------------------------------------------------------------------- */
static int set_affinity(struct gathering *g, const struct ctprof_thread *from,
			struct ktstr_ctprof_thread *t)
{
	const ctprof_u64 *mask = bpf_mask(from);
	size_t bytes = from->mask_words * sizeof(*mask), len;

	if (from->mask_words != g->config.mask_words)
		return 0;
	if (!g->mask_text || memcmp(g->mask, mask, bytes)) {
		memcpy(g->mask, mask, bytes);
		len = bpf_mask_text(mask, g->config.nr_cpus, g->mask_buf, sizeof(g->mask_buf));
		g->mask_text = builder_intern(g->c->builder, g->mask_buf, len);
	}
	t->texts[KTSTR_CTPROF_TEXT_CPU_AFFINITY] = g->mask_text;
	return g->mask_text ? 0 : -ENOMEM;
}

/* NULL: no memory. */
static const char *name_of(struct gathering *g, const struct bpf_sighting *s)
{
	char comm[BPF_COMM_BYTES];

	bpf_comm(s->thread, s->name, comm);
	if (!g->comm || strcmp(g->comm, comm))
		g->comm = builder_intern(g->c->builder, comm, strlen(comm));
	return g->comm;
}

static int set_texts(struct gathering *g, const struct bpf_sighting *s,
		     struct ktstr_ctprof_thread *t)
{
	t->texts[KTSTR_CTPROF_TEXT_COMM] = name_of(g, s);
	if (!t->texts[KTSTR_CTPROF_TEXT_COMM])
		return -ENOMEM;
	if (g->has_cgroups && s->thread->flags & CTPROF_HAS_CGROUP)
		t->texts[KTSTR_CTPROF_TEXT_CGROUP] = bpf_paths_find(g->paths, s->thread->cgroup);
	return set_affinity(g, s->thread, t);
}

static void set_note(const struct ctprof_thread *from, const struct ktstr_ctprof_thread *t,
		     struct thread_note *note)
{
	int64_t state = ktstr_ctprof_get_or_zero(t, KTSTR_CTPROF_STATE);

	note->thread_pointer = from->thread_pointer;
	note->born_ns = from->born_ns;
	note->memory = from->memory;
	note->execs = from->execs;
	note->flags = NOTE_IDENTITY;
	if (from->flags & CTPROF_HAS_POINTER)
		note->flags |= NOTE_THREAD_POINTER;
	if (from->flags & CTPROF_KERNEL_THREAD)
		note->flags |= NOTE_KERNEL_THREAD;
	if (from->flags & CTPROF_32_BIT)
		note->flags |= NOTE_32_BIT;
	if (state == 'Z' || state == 'X')
		note->flags |= NOTE_GONE;
}

static int add_thread(struct gathering *g, const struct bpf_sighting *s, const char *process)
{
	struct builder *b = g->c->builder;
	struct ktstr_ctprof_thread *t = builder_add_thread(b);

	if (!t)
		return b->nr_threads < KTSTR_CTPROF_MAX_THREADS ? -ENOMEM : -E2BIG;
	t->tgid = s->thread->tgid;
	t->tid = s->thread->tid;
	bpf_set_values(s->thread, &g->units, t);
	set_note(s->thread, t, builder_note(b));
	if (set_texts(g, s, t) < 0)
		return -ENOMEM;
	t->texts[KTSTR_CTPROF_TEXT_PCOMM] = process;
	builder_fill_present(b, KTSTR_FILLER_BPF, t);
	return 0;
}

/* --- passes --------------------------------------------------------------------------------- */
/* The kernel's order is that of numbers, so with the first record it is known whether the first
 * process will be seen.  A capture of one process might be of this one: no thread is added to it. */
static void begin_aside(struct gathering *g)
{
	if (!g->c->opts->pid)
		aside_begin(&g->aside, g->c, g->readers,
			    !g->saw_first && collect_wants_process(g->c, 1));
}

static int take_thread(struct gathering *g, const struct bpf_record *r)
{
	const struct ctprof_name *name = g->name;

	g->name = NULL;
	if (!r->has_values)
		return -EBADMSG;
	g->saw_first |= r->thread->tgid == 1;
	begin_aside(g);
	return bpf_roll_add(&g->roll, r->thread, name);
}

static int take_record(void *context, const struct bpf_record *r)
{
	struct gathering *g = context;

	switch (r->kind) {
	case CTPROF_KIND_HEAD:
		g->units.boot_offset_ns = r->head->boot_offset_ns;
		bpf_paths_begin(g->paths, r->head->root_cgroup);
		return 0;
	case CTPROF_KIND_PATH:
		return bpf_paths_add(g->paths, r->path);
	case CTPROF_KIND_NAME:
		g->name = r->name;
		return 0;
	case CTPROF_KIND_THREAD:
		return take_thread(g, r);
	default:
		return 0;
	}
}

/* @tgid: this process only; 0: all. */
static int pass(struct gathering *g, uint32_t tgid)
{
	g->config.mode = CTPROF_RECORD;
	g->config.tgid = tgid;
	return bpf_pass(&g->loaded, &g->config, &g->roll.store, take_record, g);
}

static size_t find_orphans(const struct bpf_roll *roll, uint32_t *orphans)
{
	const struct bpf_sighting *leader;
	size_t nr = 0;

	for (size_t i = 0, end; i < roll->nr && nr < ORPHANS_MAX; i = end) {
		end = bpf_roll_process(roll, i, &leader);
		if (!leader)
			orphans[nr++] = bpf_roll_at(roll, i)->thread->tgid;
	}
	return nr;
}

/* A process may be born, with a low number, behind the pass, and its threads before it. */
static int find_leaders(struct gathering *g)
{
	uint32_t orphans[ORPHANS_MAX];
	int r = bpf_roll_sort(&g->roll);
	size_t nr = r == 0 ? find_orphans(&g->roll, orphans) : 0;

	for (size_t i = 0; i < nr && r == 0; i++)
		r = pass(g, orphans[i]);
	return r == 0 && nr ? bpf_roll_sort(&g->roll) : r;
}

/* Task iterators of some kernels leave out the first process and its threads. */
static int add_first_process(struct gathering *g, struct ktstr_error *err)
{
	bool wanted = !g->saw_first && collect_wants_process(g->c, 1);

	if (g->aside.begun)
		return aside_end(&g->aside, g->c, wanted);
	return wanted ? collect_process(g->c, 1, err) : 0;
}

/* What still has no leader is left out; the others take their process's name from it. */
static int add_threads(struct gathering *g)
{
	struct builder *b = g->c->builder;
	const struct bpf_sighting *leader;
	int r = builder_reserve(b, g->roll.nr);

	b->head.summary.threads_walked += g->roll.nr;
	for (size_t i = 0, end; i < g->roll.nr && r == 0; i = end) {
		const char *process;

		end = bpf_roll_process(&g->roll, i, &leader);
		if (!leader) {
			b->head.summary.ghosts += end - i;
			continue;
		}
		b->head.summary.processes++;
		process = name_of(g, leader);
		for (size_t k = i; k < end && r == 0; k++)
			r = process ? add_thread(g, bpf_roll_at(&g->roll, k), process) : -ENOMEM;
	}
	return r;
}

static int fill(struct collect *c, struct ktstr_error *err)
{
	_cleanup_(gathering_free) struct gathering *g = NULL;
	int r;

	if (!c->live)
		return ktstr_error_set(err, -EOPNOTSUPP,
				       "the BPF collector sees this machine, not '%s'",
				       c->opts->proc);
	if (c->foreign)
		return ktstr_error_set(err, -EOPNOTSUPP,
				       "the BPF collector cannot work here: /proc numbers the "
				       "processes of another pid namespace");
	g = calloc(1, sizeof(*g));
	if (!g)
		return ktstr_error_nomem(err);
	g->loaded = (struct bpf_loaded)BPF_LOADED_INIT;
	g->c = c;
	r = look_around(g, err);
	if (r == 0)
		r = bpf_take(&g->loaded, err);
	if (r < 0)
		return r;
	g->paths = bpf_paths_create(c->builder);
	/* Only now: rates divide by what lies between two passes, and loading can take long. */
	c->builder->head.captured_at_unix_ns = clock_real_ns();
	r = g->paths ? pass(g, (uint32_t)c->opts->pid) : -ENOMEM;
	if (r == 0)
		r = find_leaders(g);
	if (r == 0)
		r = add_first_process(g, err);
	if (r == 0)
		r = add_threads(g);
	if (r == -E2BIG)
		return ktstr_error_set(err, r, "more than %d threads", KTSTR_CTPROF_MAX_THREADS);
	return r < 0 ? ktstr_error_set(err, r, "collect by BPF: %s", strerror(-r)) : 0;
}

const struct collector bpf_collector = { .name = "bpf", .fill = fill };
