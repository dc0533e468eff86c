/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * snapshot.h - a snapshot while it is being made.
 *
 * A builder owns the threads, the cgroups and one copy of every text.  builder_finish() sorts and
 * hands everything over; builder_deinit() frees what is left.  Texts are compared by pointer once
 * interned, as equal ones share one copy.
 */
#ifndef KTSTR_CTPROF_SNAPSHOT_H
#define KTSTR_CTPROF_SNAPSHOT_H

#include <ktstr/ctprof.h>

enum { FILLED_WORDS = (KTSTR_CTPROF_NR_METRICS + 63) / 64 };

struct text_chunk;

/* What is known of a thread while a snapshot is made, but is no part of it. */
struct thread_note {
	uint64_t thread_pointer; /* its FS base on x86-64, if flags say so */
	/* Which program in which memory, if flags say so: same numbers, same program. */
	uint64_t born_ns, memory, execs;
	uint32_t flags;
};

enum {
	NOTE_KERNEL_THREAD = 1,	 /* no user memory */
	NOTE_GONE = 2,		 /* a zombie, or gone before its state was known */
	NOTE_THREAD_POINTER = 4, /* thread_pointer is set */
	NOTE_32_BIT = 8,	 /* of a leader: its process runs 32-bit code */
	NOTE_IDENTITY = 16,	 /* born_ns, memory and execs are set */
	NOTE_SAME = 32		 /* and were still so after memory was read */
};

/* What is to be sorted by a number. */
struct place {
	uint64_t key;
	size_t index; /* where it stands now */
};

static inline uint64_t thread_key(uint32_t tgid, uint32_t tid)
{
	return (uint64_t)tgid << 32 | tid;
}

/* By key; equal ones stay in the order they have.  Return: 0, -ENOMEM. */
int places_sort(struct place *places, size_t nr) KTSTR_MUST_CHECK;

struct builder {
	struct ktstr_ctprof head; /* its lists are filled by builder_finish() */
	struct ktstr_ctprof_thread *threads;
	struct thread_note *notes; /* of threads, by the same index */
	size_t nr_threads, threads_size;
	size_t nr_sorted; /* so many of the first are known to be in order */
	struct ktstr_ctprof_cgroup *cgroups;
	size_t nr_cgroups, cgroups_size;
	const char **table; /* open hash of interned texts */
	size_t nr_texts, table_size;
	struct text_chunk *chunks;
	const char **warnings;
	size_t nr_warnings;
	/* Bits by metric of what each filler gave; builder_finish() puts them into the head. */
	uint64_t filled[KTSTR_CTPROF_NR_FILLERS][FILLED_WORDS];
};

#define _cleanup_builder_ __attribute__((cleanup(builder_deinit)))

void builder_deinit(struct builder *b);
/* A zeroed record at the end of the list, valid until the next call; NULL: no memory or limit. */
struct ktstr_ctprof_thread *builder_add_thread(struct builder *b);
struct ktstr_ctprof_cgroup *builder_add_cgroup(struct builder *b);
/* The note of the thread added last, zeroed as well. */
struct thread_note *builder_note(struct builder *b);
/* Thread @to becomes what thread @from is, with its note. */
void builder_copy_thread(struct builder *b, size_t to, size_t from);
/* Takes the last added thread back. */
void builder_drop_thread(struct builder *b);
/* Room for that many threads more at once.  Return: 0, -ENOMEM. */
int builder_reserve(struct builder *b, size_t nr) KTSTR_MUST_CHECK;
/* Threads by tgid, then tid, and no number twice: the first added stays.  Return: 0, -ENOMEM. */
int builder_sort(struct builder *b) KTSTR_MUST_CHECK;
/* The one copy of @text, as long as the snapshot lives; NULL: no memory. */
const char *builder_intern(struct builder *b, const char *text, size_t len);
/* The leader's block of @t, zeroed at first; NULL: no memory. */
struct ktstr_ctprof_leader *builder_leader(struct builder *b, struct ktstr_ctprof_thread *t);
/* Adds a sentence to the snapshot's warnings, once; beyond KTSTR_CTPROF_MAX_WARNINGS one that says so.
 * Return: 0, -ENOMEM. */
int builder_warn(struct builder *b, const char *fmt, ...) KTSTR_PRINTF(2, 3);
/* What @t has by now came from @filler. */
void builder_fill_present(struct builder *b, enum ktstr_ctprof_filler filler,
			  const struct ktstr_ctprof_thread *t);
/*
 * Moves the threads of @from, with their counts, to the end of @b; @from is empty then.  What else
 * @from holds is dropped.  Return: 0, -ENOMEM, -E2BIG.
 */
int builder_join(struct builder *b, struct builder *from) KTSTR_MUST_CHECK;
/* Sorts, drops repeated keys and hands over.  Return: NULL for lack of memory. */
struct ktstr_ctprof *builder_finish(struct builder *b);

static inline void row_set(int64_t *values, uint64_t *present, unsigned int m, int64_t v)
{
	values[m] = v;
	present[m / 64] |= 1ull << (m % 64);
}

static inline void thread_set(struct ktstr_ctprof_thread *t, enum ktstr_ctprof_metric m, int64_t v)
{
	row_set(t->values, t->present, m, v);
}

static inline void thread_clear(struct ktstr_ctprof_thread *t, enum ktstr_ctprof_metric m)
{
	t->values[m] = 0;
	t->present[m / 64] &= ~(1ull << (m % 64));
}

/* @m: KTSTR_CTPROF_NR_THREAD_METRICS or more. */
static inline void leader_set(struct ktstr_ctprof_leader *l, enum ktstr_ctprof_metric m, int64_t v)
{
	unsigned int i = (unsigned int)m - KTSTR_CTPROF_NR_THREAD_METRICS;

	l->values[i] = v;
	l->present |= 1ull << i;
}

static inline void cgroup_set(struct ktstr_ctprof_cgroup *c, enum ktstr_ctprof_cgroup_metric m,
			      int64_t v)
{
	row_set(c->values, c->present, m, v);
}

static inline void host_set(struct ktstr_ctprof_host *h, enum ktstr_ctprof_host_metric m, int64_t v)
{
	row_set(h->values, h->present, m, v);
}

static inline void builder_fill(struct builder *b, enum ktstr_ctprof_filler filler,
				enum ktstr_ctprof_metric m)
{
	b->filled[filler][m / 64] |= 1ull << (m % 64);
}

#endif
