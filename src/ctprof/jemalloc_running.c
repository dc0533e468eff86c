// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ctprof/jemalloc_layout.h"

enum {
	READS_AT_FIRST = 2,
	READS = 3,
	LOCAL_PIECES = 3 * READS, /* of a thread: a counter, what is between, the other */
	REMOTE_PIECES = 2 * READS,
	GAP_BYTES = 1024, /* that are read rather than left out by a piece of their own */
	BATCH = 64,
	MAX_TRIES = 10,
	EAGER_TRIES = 3,
	FIRST_NAP_NS = 50000
};

_Static_assert(BATCH *LOCAL_PIECES <= 1024, "as many as one call takes (UIO_MAXIOV)");
_Static_assert((int)JEMALLOC_COUNTERS_AT <= (int)GAP_BYTES, "events and counters are one piece");

/* What is read of a thread; the events of known builds only. */
struct sample {
	struct jemalloc_events events;
	struct jemalloc_fast fast[READS];
};

struct batch {
	const struct jemalloc_process *process;
	uint32_t pid;
	int reads;
	struct jemalloc_running *threads[BATCH];
	size_t nr;
	struct sample samples[BATCH];
	unsigned char gap[GAP_BYTES]; /* nobody looks at it */
	struct iovec local[BATCH * LOCAL_PIECES], remote[BATCH * REMOTE_PIECES];
	size_t nr_local, nr_remote;
};

static void add_local(struct batch *b, void *to, size_t len)
{
	b->local[b->nr_local++] = (struct iovec){ to, len };
}

static void add_remote(struct batch *b, uint64_t from, size_t len)
{
	b->remote[b->nr_remote++] = (struct iovec){ (void *)(uintptr_t)from, len };
}

/* Each piece costs the kernel a look at the page tables, so what lies near is read as one. */
static void add_pair(struct batch *b, uint64_t from, struct iovec first, size_t distance,
		     struct iovec second)
{
	size_t gap = distance - first.iov_len;

	add_local(b, first.iov_base, first.iov_len);
	if (gap > GAP_BYTES) {
		add_remote(b, from, first.iov_len);
		add_remote(b, from + distance, second.iov_len);
	} else {
		add_remote(b, from, distance + second.iov_len);
		add_local(b, b->gap, gap);
	}
	add_local(b, second.iov_base, second.iov_len);
}

static void add_known(struct batch *b, struct sample *s, uint64_t tsd)
{
	add_pair(b, tsd + JEMALLOC_EVENTS_AT, (struct iovec){ &s->events, sizeof(s->events) },
		 JEMALLOC_COUNTERS_AT - JEMALLOC_EVENTS_AT,
		 (struct iovec){ &s->fast[0], sizeof(s->fast[0]) });
	for (int k = 1; k < b->reads; k++) {
		add_remote(b, tsd + JEMALLOC_COUNTERS_AT, sizeof(s->fast[k]));
		add_local(b, &s->fast[k], sizeof(s->fast[k]));
	}
}

static void add_unknown(struct batch *b, struct sample *s, uint64_t tsd)
{
	const struct jemalloc_layout *layout = &b->process->layout;
	bool in_order = layout->allocated < layout->deallocated;
	uint32_t low = in_order ? layout->allocated : layout->deallocated;
	uint32_t high = in_order ? layout->deallocated : layout->allocated;

	for (int k = 0; k < b->reads; k++) {
		struct iovec allocated = { &s->fast[k].allocated, 8 };
		struct iovec deallocated = { &s->fast[k].deallocated, 8 };

		add_pair(b, tsd + low, in_order ? allocated : deallocated, high - low,
			 in_order ? deallocated : allocated);
	}
}

static void add_thread(struct batch *b, size_t i)
{
	uint64_t tsd = b->threads[i]->thread_pointer + (uint64_t)b->process->tsd_offset;

	memset(&b->samples[i], 0, sizeof(b->samples[i]));
	if (b->process->layout.checked_size)
		add_known(b, &b->samples[i], tsd);
	else
		add_unknown(b, &b->samples[i], tsd);
}

static bool is_whole(const struct batch *b, uint64_t x, uint64_t y, uint64_t z)
{
	return b->reads == READS ? x <= y && y <= z : x == y;
}

static enum ktstr_jemalloc_tag judge(const struct batch *b, size_t i)
{
	const struct sample *s = &b->samples[i];
	const struct jemalloc_fast *f = s->fast;

	if (!is_whole(b, f[0].allocated, f[1].allocated, f[2].allocated) ||
	    !is_whole(b, f[0].deallocated, f[1].deallocated, f[2].deallocated))
		return KTSTR_JEMALLOC_IMPLAUSIBLE;
	if (b->process->layout.checked_size && !jemalloc_plausible(&s->events, &f[1]))
		return KTSTR_JEMALLOC_IMPLAUSIBLE;
	b->threads[i]->counters = (struct jemalloc_counters){ f[1].allocated, f[1].deallocated };
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
		size_t each = 0, whole;
		ssize_t n;

		b->nr_local = b->nr_remote = 0;
		for (size_t i = first; i < b->nr; i++)
			add_thread(b, i);
		n = process_vm_readv((pid_t)b->pid, b->local, b->nr_local, b->remote, b->nr_remote,
				     0);
		if (n < 0 && errno != EFAULT) {
			for (size_t i = first; i < b->nr; i++)
				b->threads[i]->tag = refusal(errno);
			return;
		}
		for (size_t k = 0; k < b->nr_local / (b->nr - first); k++)
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
		b->reads = try ? READS : READS_AT_FIRST;
		b->nr = 0;
		for (size_t i = 0; i < nr; i++)
			if (threads[i].tag == KTSTR_JEMALLOC_IMPLAUSIBLE)
				add_pending(b, &threads[i]);
		read_batch(b);
		for (size_t i = 0; i < nr; i++)
			pending |= threads[i].tag == KTSTR_JEMALLOC_IMPLAUSIBLE;
	}
}
