// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof/bpf_pass.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/huge.h"

/* FRESH_BYTES: beyond that malloc() gives back what the next capture could use. */
enum { READS_PER_PIECE = 4, LARGEST_PIECE_BYTES = 4 << 20, FRESH_BYTES = 16 << 20 };

struct bpf_piece {
	struct bpf_piece *next;
	size_t used, size;
	unsigned char bytes[]; /* aligned to 8 */
};

struct reading {
	int (*take)(void *context, const struct bpf_record *record);
	void *context;
	uint64_t threads;
	bool complete; /* the tail was seen, and nothing is missing */
};

static int take_bytes(struct reading *reading, const unsigned char *bytes, size_t len)
{
	struct bpf_record record;
	int r;

	while ((r = bpf_next_record(&bytes, &len, &record)) > 0) {
		if (record.kind == CTPROF_KIND_THREAD)
			reading->threads++;
		if (record.kind == CTPROF_KIND_TAIL)
			reading->complete = record.tail->threads == reading->threads;
		r = reading->take(reading->context, &record);
		if (r < 0)
			return r;
	}
	return r;
}

void bpf_store_deinit(struct bpf_store *store)
{
	while (store->pieces) {
		struct bpf_piece *next = store->pieces->next;

		free(store->pieces);
		store->pieces = next;
	}
}

/* Half of what there is already: a large piece for few threads would be taken from the system, and
 * given back, by each capture.  For many, all would be, so they are large from the first on.
 * NULL: no memory. */
static struct bpf_piece *add_piece(struct bpf_store *store, size_t room)
{
	size_t half = store->bytes / 2, least = READS_PER_PIECE * room;
	size_t size = half > least ? half : least;
	struct bpf_piece *piece;

	if (size < LARGEST_PIECE_BYTES && store->expected < FRESH_BYTES) {
		piece = malloc(sizeof(*piece) + size);
	} else {
		size = LARGEST_PIECE_BYTES - sizeof(*piece);
		piece = huge_alloc(LARGEST_PIECE_BYTES);
	}
	if (!piece)
		return NULL;
	*piece = (struct bpf_piece){ .next = store->pieces, .size = size };
	store->pieces = piece;
	store->bytes += size;
	return piece;
}

/* Return: as read(), but -errno; -ENOMEM. */
static ssize_t read_records(int fd, struct bpf_store *store, const unsigned char **ret_bytes)
{
	/* The kernel's own buffer, so that it gives whole records. */
	size_t room = 8 * (size_t)sysconf(_SC_PAGESIZE);
	struct bpf_piece *piece = store->pieces;
	ssize_t n;

	if (!piece || piece->size - piece->used < room)
		piece = add_piece(store, room);
	if (!piece)
		return -ENOMEM;
	*ret_bytes = piece->bytes + piece->used;
	n = read(fd, piece->bytes + piece->used, piece->size - piece->used);
	if (n < 0)
		return -errno;
	piece->used += (size_t)n;
	return n;
}

int bpf_pass(const struct bpf_loaded *loaded, const struct ctprof_config *config,
	     struct bpf_store *store, int (*take)(void *context, const struct bpf_record *record),
	     void *context)
{
	_cleanup_(bpf_store_deinit) struct bpf_store own = { 0 };
	struct reading reading = { .take = take, .context = context };
	_cleanup_close_ int fd = bpf_open(loaded, config);
	const unsigned char *bytes;
	ssize_t n;
	int r = 0;

	if (fd < 0)
		return fd;
	while (r == 0 && (n = read_records(fd, store ? store : &own, &bytes)) != 0) {
		/* After a million tasks the kernel wants to be asked again. */
		if (n < 0 && n != -EINTR && n != -EAGAIN)
			return (int)n;
		if (n > 0)
			r = take_bytes(&reading, bytes, (size_t)n);
		if (own.pieces)
			own.pieces->used = 0;
	}
	return r == 0 && !reading.complete ? -EBADMSG : r;
}

static int compare(const struct ctprof_thread *seen, const struct ktstr_ctprof_thread *t)
{
	if (seen->tgid != t->tgid)
		return seen->tgid < t->tgid ? -1 : 1;
	return seen->tid < t->tid ? -1 : seen->tid > t->tid;
}

static struct thread_note *find_note(struct builder *b, const struct ctprof_thread *seen)
{
	size_t low = 0, high = b->nr_threads;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int c = compare(seen, &b->threads[middle]);

		if (c == 0)
			return &b->notes[middle];
		if (c < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static int take_identity(void *context, const struct bpf_record *record)
{
	struct collect *c = context;
	struct thread_note *note;

	if (record->kind != CTPROF_KIND_THREAD)
		return 0;
	note = find_note(c->builder, record->thread);
	if (note && note->flags & NOTE_IDENTITY && note->born_ns == record->thread->born_ns &&
	    note->memory == record->thread->memory && note->execs == record->thread->execs &&
	    note->thread_pointer == record->thread->thread_pointer)
		note->flags |= NOTE_SAME;
	return 0;
}

int bpf_identify(struct collect *c)
{
	_cleanup_bpf_ struct bpf_loaded loaded = BPF_LOADED_INIT;
	const struct ctprof_config config = { .mode = CTPROF_IDENTIFY,
					      .tgid = (uint32_t)c->opts->pid };
	int r = bpf_take(&loaded, NULL);

	return r < 0 ? r : bpf_pass(&loaded, &config, NULL, take_identity, c);
}
