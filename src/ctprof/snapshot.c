// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof/snapshot.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/huge.h"

enum { CHUNK_BYTES = 16384, LIST_SIZE = 256 };

/* malloc() keeps less than that for the next capture (DEFAULT_MMAP_THRESHOLD_MAX). */
enum { FRESH_BYTES = 32 << 20 };

struct text_chunk {
	struct text_chunk *next;
	size_t used, size;
	char bytes[];
};

/* What ktstr_ctprof_destroy() gets back from the public head. */
struct snapshot {
	struct ktstr_ctprof head;
	struct ktstr_ctprof_thread *threads;
	struct ktstr_ctprof_cgroup *cgroups;
	struct text_chunk *chunks;
	const char **warnings;
};

_Static_assert(KTSTR_CTPROF_NR_LEADER_METRICS <= 64, "presence of a leader is one word");
_Static_assert(KTSTR_CTPROF_NR_FILLERS <= 8, "filled_by is a byte");

static void free_chunks(struct text_chunk *chunk)
{
	while (chunk) {
		struct text_chunk *next = chunk->next;

		free(chunk);
		chunk = next;
	}
}

void builder_deinit(struct builder *b)
{
	free(b->threads);
	free(b->notes);
	free(b->cgroups);
	free(b->table);
	free(b->warnings);
	free_chunks(b->chunks);
	*b = (struct builder){ 0 };
}

void ktstr_ctprof_destroy(struct ktstr_ctprof *snapshot)
{
	struct snapshot *s = (struct snapshot *)snapshot;

	if (!s)
		return;
	free(s->threads);
	free(s->cgroups);
	free(s->warnings);
	free_chunks(s->chunks);
	free(s);
}

static void *grow(void *list, size_t nr, size_t *size, size_t each)
{
	size_t want = *size ? *size * 2 : LIST_SIZE;
	void *bigger;

	if (nr < *size)
		return list;
	bigger = reallocarray(list, want, each);
	if (bigger)
		*size = want;
	return bigger;
}

struct ktstr_ctprof_thread *builder_add_thread(struct builder *b)
{
	size_t size = b->threads_size;
	struct ktstr_ctprof_thread *list;
	struct thread_note *notes;

	if (b->nr_threads >= KTSTR_CTPROF_MAX_THREADS)
		return NULL;
	notes = grow(b->notes, b->nr_threads, &size, sizeof(*notes));
	if (!notes)
		return NULL;
	b->notes = notes;
	list = grow(b->threads, b->nr_threads, &b->threads_size, sizeof(*list));
	if (!list)
		return NULL;
	b->threads = list;
	if (b->nr_sorted > b->nr_threads)
		b->nr_sorted = b->nr_threads;
	memset(&list[b->nr_threads], 0, sizeof(*list));
	notes[b->nr_threads] = (struct thread_note){ 0 };
	return &list[b->nr_threads++];
}

/* NULL: no memory; @b has what it had. */
static struct ktstr_ctprof_thread *resize_threads(struct builder *b, size_t size)
{
	struct ktstr_ctprof_thread *list;

	if (size < FRESH_BYTES / sizeof(*list))
		return reallocarray(b->threads, size, sizeof(*list));
	list = size <= SIZE_MAX / sizeof(*list) ? huge_alloc(size * sizeof(*list)) : NULL;
	if (!list)
		return NULL;
	if (b->nr_threads)
		memcpy(list, b->threads, b->nr_threads * sizeof(*list));
	free(b->threads);
	return list;
}

int builder_reserve(struct builder *b, size_t nr)
{
	size_t wanted = b->threads_size ? b->threads_size : LIST_SIZE;
	struct ktstr_ctprof_thread *list;
	struct thread_note *notes;

	while (wanted < b->nr_threads + nr)
		wanted *= 2;
	if (wanted == b->threads_size)
		return 0;
	notes = reallocarray(b->notes, wanted, sizeof(*notes));
	if (!notes)
		return -ENOMEM;
	b->notes = notes;
	list = resize_threads(b, wanted);
	if (!list)
		return -ENOMEM;
	b->threads = list;
	b->threads_size = wanted;
	return 0;
}

struct thread_note *builder_note(struct builder *b)
{
	return &b->notes[b->nr_threads - 1];
}

struct ktstr_ctprof_cgroup *builder_add_cgroup(struct builder *b)
{
	struct ktstr_ctprof_cgroup *list;

	list = grow(b->cgroups, b->nr_cgroups, &b->cgroups_size, sizeof(*list));
	if (!list)
		return NULL;
	b->cgroups = list;
	memset(&list[b->nr_cgroups], 0, sizeof(*list));
	return &list[b->nr_cgroups++];
}

void builder_drop_thread(struct builder *b)
{
	b->nr_threads--;
}

static uint64_t hash(const char *text, size_t len)
{
	uint64_t h = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)text[i]) * 0x100000001b3ull;
	return h;
}

static void *take_bytes(struct builder *b, size_t len, size_t align)
{
	struct text_chunk *chunk = b->chunks;
	size_t size = len + align > CHUNK_BYTES ? len + align : CHUNK_BYTES, pad = 0;
	void *bytes;

	if (chunk)
		pad = -(uintptr_t)(chunk->bytes + chunk->used) & (align - 1);
	if (!chunk || chunk->size - chunk->used < len + pad) {
		chunk = malloc(sizeof(*chunk) + size);
		if (!chunk)
			return NULL;
		chunk->next = b->chunks;
		chunk->used = 0;
		chunk->size = size;
		b->chunks = chunk;
		pad = -(uintptr_t)chunk->bytes & (align - 1);
	}
	bytes = chunk->bytes + chunk->used + pad;
	chunk->used += len + pad;
	return bytes;
}

static const char *store(struct builder *b, const char *text, size_t len)
{
	char *copy = take_bytes(b, len + 1, 1);

	if (!copy)
		return NULL;
	memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

struct ktstr_ctprof_leader *builder_leader(struct builder *b, struct ktstr_ctprof_thread *t)
{
	struct ktstr_ctprof_leader *leader = (struct ktstr_ctprof_leader *)t->leader;

	if (leader)
		return leader;
	leader = take_bytes(b, sizeof(*leader), _Alignof(struct ktstr_ctprof_leader));
	if (leader)
		memset(leader, 0, sizeof(*leader));
	t->leader = leader;
	return leader;
}

int builder_warn(struct builder *b, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	if (b->nr_warnings == KTSTR_CTPROF_MAX_WARNINGS)
		return 0;
	if (!b->warnings)
		b->warnings = calloc(KTSTR_CTPROF_MAX_WARNINGS, sizeof(*b->warnings));
	if (!b->warnings)
		return -ENOMEM;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < b->nr_warnings; i++)
		if (!strcmp(b->warnings[i], text))
			return 0;
	if (b->nr_warnings == KTSTR_CTPROF_MAX_WARNINGS - 1)
		snprintf(text, sizeof(text), "more was passed over than is said here");
	b->warnings[b->nr_warnings] = store(b, text, strlen(text));
	return b->warnings[b->nr_warnings++] ? 0 : -ENOMEM;
}

static const char **slot_for(const char **table, size_t size, const char *text, size_t len)
{
	size_t i = hash(text, len) & (size - 1);

	while (table[i] && (strncmp(table[i], text, len) || table[i][len]))
		i = (i + 1) & (size - 1);
	return &table[i];
}

static int grow_table(struct builder *b)
{
	size_t size = b->table_size ? b->table_size * 2 : 1024;
	const char **table;

	if (b->nr_texts * 2 < b->table_size)
		return 0;
	table = calloc(size, sizeof(*table));
	if (!table)
		return -1;
	for (size_t i = 0; i < b->table_size; i++)
		if (b->table[i])
			*slot_for(table, size, b->table[i], strlen(b->table[i])) = b->table[i];
	free(b->table);
	b->table = table;
	b->table_size = size;
	return 0;
}

const char *builder_intern(struct builder *b, const char *text, size_t len)
{
	const char **slot;

	len = strnlen(text, len);
	if (grow_table(b) < 0)
		return NULL;
	slot = slot_for(b->table, b->table_size, text, len);
	if (!*slot) {
		*slot = store(b, text, len);
		b->nr_texts += *slot ? 1 : 0;
	}
	return *slot;
}

static int compare_threads(const void *a, const void *b)
{
	const struct ktstr_ctprof_thread *x = a, *y = b;

	if (x->tgid != y->tgid)
		return x->tgid < y->tgid ? -1 : 1;
	return x->tid < y->tid ? -1 : x->tid > y->tid;
}

static int compare_cgroups(const void *a, const void *b)
{
	const struct ktstr_ctprof_cgroup *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static bool in_order(const struct builder *b)
{
	for (size_t i = b->nr_sorted ? b->nr_sorted : 1; i < b->nr_threads; i++)
		if (compare_threads(&b->threads[i - 1], &b->threads[i]) >= 0)
			return false;
	return true;
}

void builder_copy_thread(struct builder *b, size_t to, size_t from)
{
	if (to == from)
		return;
	b->threads[to] = b->threads[from];
	b->notes[to] = b->notes[from];
}

/* Each record is moved once: round by round, the one that belongs where the last came from. */
static void move_to_places(struct builder *b, struct place *places)
{
	for (size_t i = 0; i < b->nr_threads; i++) {
		struct ktstr_ctprof_thread thread;
		struct thread_note note;
		size_t to = i;

		if (places[i].index == i)
			continue;
		thread = b->threads[i];
		note = b->notes[i];
		while (places[to].index != i) {
			size_t from = places[to].index;

			builder_copy_thread(b, to, from);
			places[to].index = to;
			to = from;
		}
		b->threads[to] = thread;
		b->notes[to] = note;
		places[to].index = to;
	}
}

static void drop_repeated_threads(struct builder *b)
{
	size_t kept = 0;

	for (size_t i = 0; i < b->nr_threads; i++)
		if (!kept || compare_threads(&b->threads[kept - 1], &b->threads[i]))
			builder_copy_thread(b, kept++, i);
	b->nr_threads = kept;
}

int builder_sort(struct builder *b)
{
	_cleanup_free_ struct place *places = NULL;

	if (in_order(b)) {
		b->nr_sorted = b->nr_threads;
		return 0;
	}
	places = calloc(b->nr_threads, sizeof(*places));
	if (!places)
		return -ENOMEM;
	for (size_t i = 0; i < b->nr_threads; i++)
		places[i] = (struct place){ thread_key(b->threads[i].tgid, b->threads[i].tid), i };
	if (places_sort(places, b->nr_threads) < 0)
		return -ENOMEM;
	move_to_places(b, places);
	drop_repeated_threads(b);
	b->nr_sorted = b->nr_threads;
	return 0;
}

static void sort_cgroups(struct builder *b)
{
	size_t kept = 0;

	if (!b->nr_cgroups)
		return;
	qsort(b->cgroups, b->nr_cgroups, sizeof(*b->cgroups), compare_cgroups);
	for (size_t i = 0; i < b->nr_cgroups; i++)
		if (!kept || compare_cgroups(&b->cgroups[kept - 1], &b->cgroups[i]))
			b->cgroups[kept++] = b->cgroups[i];
	b->nr_cgroups = kept;
}

void builder_fill_present(struct builder *b, enum ktstr_ctprof_filler filler,
			  const struct ktstr_ctprof_thread *t)
{
	for (size_t i = 0; i < KTSTR_CTPROF_PRESENT_WORDS; i++)
		b->filled[filler][i] |= t->present[i];
	for (size_t i = 0; i < KTSTR_CTPROF_NR_TEXTS; i++)
		if (t->texts[i])
			b->head.text_filled_by[i] |= (uint8_t)(1u << filler);
}

static void finish_filled(struct builder *b)
{
	for (unsigned int f = 0; f < KTSTR_CTPROF_NR_FILLERS; f++)
		for (unsigned int m = 0; m < KTSTR_CTPROF_NR_METRICS; m++)
			if (b->filled[f][m / 64] >> (m % 64) & 1)
				b->head.filled_by[m] |= (uint8_t)(1u << f);
}

struct ktstr_ctprof *builder_finish(struct builder *b)
{
	struct snapshot *s;

	if (builder_sort(b) < 0)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	sort_cgroups(b);
	finish_filled(b);
	s->head = b->head;
	s->head.threads = s->threads = take_ptr(b->threads);
	s->head.nr_threads = b->nr_threads;
	s->head.cgroups = s->cgroups = take_ptr(b->cgroups);
	s->head.nr_cgroups = b->nr_cgroups;
	s->chunks = take_ptr(b->chunks);
	s->head.nr_warnings = b->nr_warnings;
	s->head.warnings = s->warnings = take_ptr(b->warnings);
	builder_deinit(b);
	return &s->head;
}

const struct ktstr_ctprof_thread *ktstr_ctprof_find(const struct ktstr_ctprof *snapshot,
						    uint32_t tgid, uint32_t tid)
{
	struct ktstr_ctprof_thread key = { .tgid = tgid, .tid = tid };

	if (!snapshot->nr_threads)
		return NULL;
	return bsearch(&key, snapshot->threads, snapshot->nr_threads, sizeof(key), compare_threads);
}

const struct ktstr_ctprof_cgroup *ktstr_ctprof_find_cgroup(const struct ktstr_ctprof *snapshot,
							   const char *path)
{
	struct ktstr_ctprof_cgroup key = { .path = path };

	if (!snapshot->nr_cgroups)
		return NULL;
	return bsearch(&key, snapshot->cgroups, snapshot->nr_cgroups, sizeof(key), compare_cgroups);
}
