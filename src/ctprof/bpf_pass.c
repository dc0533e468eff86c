// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof/bpf_pass.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"

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

int bpf_pass(const struct bpf_loaded *loaded, const struct ctprof_config *config,
	     int (*take)(void *context, const struct bpf_record *record), void *context)
{
	struct reading reading = { .take = take, .context = context };
	_cleanup_free_ unsigned char *bytes = malloc(BPF_READ_BYTES);
	_cleanup_close_ int fd = -1;
	ssize_t n;
	int r = 0;

	if (!bytes)
		return -ENOMEM;
	fd = bpf_open(loaded, config);
	if (fd < 0)
		return fd;
	while (r == 0 && (n = read(fd, bytes, BPF_READ_BYTES)) != 0) {
		/* After a million tasks the kernel wants to be asked again. */
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return -errno;
		if (n > 0)
			r = take_bytes(&reading, bytes, (size_t)n);
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

	return r < 0 ? r : bpf_pass(&loaded, &config, take_identity, c);
}
