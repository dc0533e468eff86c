// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ctprof/jemalloc_layout.h"

enum {
	READS = 3,
	PIECES = 2 * READS, /* of a thread: each counter so many times, or both and the events */
	BATCH = 64,
	MAX_TRIES = 10,
	EAGER_TRIES = 3,
	FIRST_NAP_NS = 50000
};

_Static_assert(BATCH *PIECES <= 1024, "as many as one call takes (UIO_MAXIOV)");

/* What is read of a thread; the events of known builds only. */
struct sample {
	struct jemalloc_events events;
	struct jemalloc_fast fast[READS];
};

struct batch {
	const struct jemalloc_process *process;
	uint32_t pid;
	struct jemalloc_running *threads[BATCH];
	size_t nr;
	struct sample samples[BATCH];
	struct iovec local[BATCH * PIECES], remote[BATCH * PIECES];
	size_t nr_pieces;
};

static void add_piece(struct batch *b, void *to, uint64_t from, size_t len)
{
	b->local[b->nr_pieces] = (struct iovec){ to, len };
	b->remote[b->nr_pieces++] = (struct iovec){ (void *)(uintptr_t)from, len };
}

static void add_thread(struct batch *b, size_t i)
{
	const struct jemalloc_layout *layout = &b->process->layout;
	uint64_t tsd = b->threads[i]->thread_pointer + (uint64_t)b->process->tsd_offset;
	struct sample *s = &b->samples[i];

	memset(s, 0, sizeof(*s));
	if (layout->checked_size)
		add_piece(b, &s->events, tsd + JEMALLOC_EVENTS_AT, sizeof(s->events));
	for (int k = 0; k < READS; k++) {
		if (layout->checked_size) {
			add_piece(b, &s->fast[k], tsd + JEMALLOC_COUNTERS_AT, sizeof(s->fast[k]));
			continue;
		}
		add_piece(b, &s->fast[k].allocated, tsd + layout->allocated, 8);
	}
	for (int k = 0; k < READS && !layout->checked_size; k++)
		add_piece(b, &s->fast[k].deallocated, tsd + layout->deallocated, 8);
}

static bool never_back(uint64_t a, uint64_t b, uint64_t c)
{
	return a <= b && b <= c;
}

static enum ktstr_jemalloc_tag judge(const struct batch *b, size_t i)
{
	const struct sample *s = &b->samples[i];
	const struct jemalloc_fast *middle = &s->fast[1];

	if (!never_back(s->fast[0].allocated, middle->allocated, s->fast[2].allocated) ||
	    !never_back(s->fast[0].deallocated, middle->deallocated, s->fast[2].deallocated))
		return KTSTR_JEMALLOC_IMPLAUSIBLE;
	if (b->process->layout.checked_size && !jemalloc_plausible(&s->events, middle))
		return KTSTR_JEMALLOC_IMPLAUSIBLE;
	b->threads[i]->counters =
		(struct jemalloc_counters){ middle->allocated, middle->deallocated };
	return KTSTR_JEMALLOC_OK;
}

static enum ktstr_jemalloc_tag refusal(int error)
{
	return error == EPERM	? KTSTR_JEMALLOC_PTRACE_REFUSED
	       : error == ESRCH ? KTSTR_JEMALLOC_THREAD_GONE
				: KTSTR_JEMALLOC_READ_FAILED;
}

/* The call stops at the first piece that is not mapped: that thread has failed, the rest has not
 * been tried. */
static void read_batch(struct batch *b)
{
	for (size_t first = 0; first < b->nr;) {
		size_t each, whole;
		ssize_t n;

		b->nr_pieces = 0;
		for (size_t i = first; i < b->nr; i++)
			add_thread(b, i);
		n = process_vm_readv((pid_t)b->pid, b->local, b->nr_pieces, b->remote, b->nr_pieces,
				     0);
		if (n < 0 && errno != EFAULT) {
			for (size_t i = first; i < b->nr; i++)
				b->threads[i]->tag = refusal(errno);
			return;
		}
		each = 0;
		for (size_t k = 0; k < b->nr_pieces / (b->nr - first); k++)
			each += b->local[k].iov_len;
		whole = n < 0 ? 0 : (size_t)n / each;
		for (size_t i = first; i < first + whole; i++)
			b->threads[i]->tag = judge(b, i);
		first += whole;
		if (first < b->nr)
			b->threads[first++]->tag = KTSTR_JEMALLOC_READ_FAILED;
	}
}

static void add_pending(struct batch *b, struct jemalloc_running *t)
{
	b->threads[b->nr++] = t;
	if (b->nr < BATCH)
		return;
	read_batch(b);
	b->nr = 0;
}

void jemalloc_read_running(const struct jemalloc_process *process, uint32_t pid,
			   struct jemalloc_running *threads, size_t nr)
{
	struct batch batch, *b = &batch;
	long nap_ns = FIRST_NAP_NS;
	bool pending = true;

	b->process = process;
	b->pid = pid;
	for (size_t i = 0; i < nr; i++)
		threads[i].tag = KTSTR_JEMALLOC_IMPLAUSIBLE;
	for (unsigned int try = 0; try < MAX_TRIES && pending; try++) {
		if (try >= EAGER_TRIES) {
			nanosleep(&(struct timespec){ .tv_nsec = nap_ns }, NULL);
			nap_ns *= 2;
		}
		pending = false;
		b->nr = 0;
		for (size_t i = 0; i < nr; i++)
			if (threads[i].tag == KTSTR_JEMALLOC_IMPLAUSIBLE)
				add_pending(b, &threads[i]);
		read_batch(b);
		for (size_t i = 0; i < nr; i++)
			pending |= threads[i].tag == KTSTR_JEMALLOC_IMPLAUSIBLE;
	}
}
