// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "sched/watch.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/path.h"
#include "sched/watch_format.h"
#include "sched/watch_state.h"

enum {
	RINGS_BYTES = 8 << 20,
	RING_MAX = 1 << 20,
	RING_MIN = 64 << 10,
	RECORD_MAX = 4096,
	PREEMPTED = 0x100
};
/* An event may still be on its way into another CPU's ring. */
#define IN_FLIGHT_NS 20000ull

enum point { POINT_SWITCH, POINT_WAKE, POINT_WAKE_NEW, POINTS };
static const char *const point_names[POINTS] = { "sched_switch", "sched_wakeup",
						 "sched_wakeup_new" };

struct ring {
	int fds[POINTS];
	struct perf_event_mmap_page *page; /* NULL: none */
	uint64_t tail;
};

struct watch {
	uint32_t nr_cpus;
	size_t page_bytes, ring_bytes;
	uint64_t ids[POINTS];
	struct watch_field prev_pid, prev_state, next_pid, next_comm, wake_pid;
	struct ring rings[WATCH_CPUS];
	struct watch_state *state;
};

/* One record of a ring, decoded. */
struct event {
	enum { EVENT_NONE, EVENT_SWITCH, EVENT_WAKE, EVENT_LOST, EVENT_OTHER } kind;
	uint64_t time_ns, lost;
	uint32_t bytes;
	struct watch_switch change;
	pid_t tid;
};

/* --- set-up ----------------------------------------------------------------------------------- */
static int read_point(const char *tracefs, enum point point, const char *file, struct strbuf *out,
		      struct ktstr_error *err)
{
	_cleanup_free_ char *path =
		path_format("%s/events/sched/%s/%s", tracefs, point_names[point], file);
	int r = path ? io_read_file(path, out, err) : ktstr_error_nomem(err);

	if (r == -ENOENT)
		return ktstr_error_set(err, -ENOTSUP,
				       "the kernel has no tracepoint sched:%s ('%s' is not there)",
				       point_names[point], path);
	return r;
}

static int read_id(struct watch *w, const char *tracefs, enum point point, struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	int r = read_point(tracefs, point, "id", &text, err);

	if (r < 0)
		return r;
	if (text.len && text.data[text.len - 1] == '\n')
		text.data[--text.len] = '\0';
	return parse_u64(strbuf_str(&text), &w->ids[point]) < 0
		       ? ktstr_error_set(err, -ENOTSUP, "the id of sched:%s is no number",
					 point_names[point])
		       : 0;
}

static int find_field(const char *text, const char *name, uint32_t size,
		      struct watch_field *ret_field, struct ktstr_error *err)
{
	int r = watch_format_field(text, name, ret_field);

	if (r == 0 && (ret_field->size == size || (!size && ret_field->size <= WATCH_COMM)))
		return 0;
	return ktstr_error_set(err, -ENOTSUP,
			       "the kernel's scheduling tracepoints have no field '%s' of the size "
			       "that is known",
			       name);
}

static int read_formats(struct watch *w, const char *tracefs, struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf on_switch = STRBUF_INIT, wake = STRBUF_INIT;
	const char *text;
	int r = 0;

	for (enum point p = 0; r == 0 && p < POINTS; p++)
		r = read_id(w, tracefs, p, err);
	if (r == 0)
		r = read_point(tracefs, POINT_SWITCH, "format", &on_switch, err);
	if (r == 0)
		r = read_point(tracefs, POINT_WAKE, "format", &wake, err);
	if (r < 0)
		return r;
	text = strbuf_str(&on_switch);
	r = find_field(text, "prev_pid", 4, &w->prev_pid, err);
	if (r == 0)
		r = find_field(text, "prev_state", 8, &w->prev_state, err);
	if (r == 0)
		r = find_field(text, "next_pid", 4, &w->next_pid, err);
	if (r == 0)
		r = find_field(text, "next_comm", 0, &w->next_comm, err);
	if (r == 0)
		r = find_field(strbuf_str(&wake), "pid", 4, &w->wake_pid, err);
	return r;
}

/* All events of a CPU share the ring of its first. */
static int open_event(struct watch *w, uint32_t cpu, enum point point)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = w->ids[point],
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_TIME | PERF_SAMPLE_RAW,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
		.watermark = 1,
		.wakeup_watermark = UINT32_MAX,
	};
	long fd = syscall(SYS_perf_event_open, &attr, -1, (int)cpu, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : (int)fd;
}

static void close_ring(struct watch *w, struct ring *ring)
{
	if (ring->page)
		munmap(ring->page, w->page_bytes + w->ring_bytes);
	ring->page = NULL;
	for (enum point p = 0; p < POINTS; p++) {
		if (ring->fds[p] > 0)
			close(ring->fds[p]);
		ring->fds[p] = 0;
	}
}

static int open_ring(struct watch *w, uint32_t cpu)
{
	struct ring *ring = &w->rings[cpu];
	void *page;

	for (enum point p = 0; p < POINTS; p++) {
		ring->fds[p] = open_event(w, cpu, p);
		if (ring->fds[p] < 0)
			return ring->fds[p];
		if (p && ioctl(ring->fds[p], PERF_EVENT_IOC_SET_OUTPUT, ring->fds[0]) < 0)
			return -errno;
		if (p)
			continue;
		page = mmap(NULL, w->page_bytes + w->ring_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
			    ring->fds[0], 0);
		if (page == MAP_FAILED)
			return -errno;
		ring->page = page;
	}
	ring->tail = 0;
	return 0;
}

int watch_cpu_online(struct watch *watch, uint32_t cpu)
{
	int r;

	if (cpu >= watch->nr_cpus)
		return -EINVAL;
	close_ring(watch, &watch->rings[cpu]);
	watch_state_cpu_gone(watch->state, cpu);
	r = open_ring(watch, cpu);
	if (r < 0)
		close_ring(watch, &watch->rings[cpu]);
	return r;
}

static int open_rings(struct watch *w, struct ktstr_error *err)
{
	unsigned int nr = 0;

	for (uint32_t cpu = 0; cpu < w->nr_cpus; cpu++) {
		int r = watch_cpu_online(w, cpu);

		/* It is offline. */
		if (r == -ENODEV)
			continue;
		if (r < 0)
			return ktstr_error_set(err, r,
					       "perf_event_open() of sched:%s on CPU %u: %s",
					       point_names[0], cpu, strerror(-r));
		nr++;
	}
	return nr ? 0 : ktstr_error_set(err, -ENOTSUP, "no CPU's context switches can be watched");
}

static int mount_tracefs(const char *tracefs, struct ktstr_error *err)
{
	_cleanup_free_ char *events = path_format("%s/events", tracefs);

	if (!events)
		return ktstr_error_nomem(err);
	if (access(events, F_OK) == 0 || mount("tracefs", tracefs, "tracefs", 0, NULL) == 0)
		return 0;
	return ktstr_error_set(err, -ENOTSUP, "mount tracefs on '%s': %s", tracefs,
			       strerror(errno));
}

int watch_open(const struct watch_opts *opts, struct watch **ret_watch, struct ktstr_error *err)
{
	struct watch *w;
	int r;

	if (!opts->nr_cpus || opts->nr_cpus > WATCH_CPUS)
		return ktstr_error_set(err, -ENOTSUP, "%u CPUs are more than %d", opts->nr_cpus,
				       WATCH_CPUS);
	w = calloc(1, sizeof(*w));
	if (!w)
		return ktstr_error_nomem(err);
	w->nr_cpus = opts->nr_cpus;
	w->page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	w->ring_bytes = RING_MAX;
	while (w->ring_bytes > RING_MIN && w->ring_bytes * w->nr_cpus > RINGS_BYTES)
		w->ring_bytes /= 2;
	w->state = watch_state_create(opts->nr_cpus);
	r = w->state ? mount_tracefs(opts->tracefs, err) : ktstr_error_nomem(err);
	if (r == 0)
		r = read_formats(w, opts->tracefs, err);
	if (r == 0)
		r = open_rings(w, err);
	if (r < 0) {
		watch_close(w);
		return r;
	}
	*ret_watch = w;
	return 0;
}

void watch_close(struct watch *watch)
{
	if (!watch)
		return;
	for (uint32_t cpu = 0; cpu < watch->nr_cpus; cpu++)
		close_ring(watch, &watch->rings[cpu]);
	watch_state_destroy(watch->state);
	free(watch);
}

/* --- records ---------------------------------------------------------------------------------- */
static void copy_out(const struct watch *w, const struct ring *ring, uint64_t at, void *to,
		     size_t len)
{
	const char *data = (const char *)ring->page + w->page_bytes;
	size_t from = at % w->ring_bytes, left = w->ring_bytes - from;
	size_t first = left < len ? left : len;

	memcpy(to, data + from, first);
	memcpy((char *)to + first, data, len - first);
}

static bool get(const char *raw, uint32_t raw_bytes, const struct watch_field *field, void *to)
{
	if (field->offset + field->size > raw_bytes)
		return false;
	memcpy(to, raw + field->offset, field->size);
	return true;
}

static bool decode_switch(const struct watch *w, const char *raw, uint32_t bytes,
			  struct event *event)
{
	int64_t state = 0;
	int32_t prev = 0, next = 0;

	if (!get(raw, bytes, &w->prev_pid, &prev) || !get(raw, bytes, &w->prev_state, &state) ||
	    !get(raw, bytes, &w->next_pid, &next) ||
	    !get(raw, bytes, &w->next_comm, event->change.next_comm))
		return false;
	event->kind = EVENT_SWITCH;
	event->change.time_ns = event->time_ns;
	event->change.prev = prev;
	event->change.next = next;
	event->change.prev_waits = state == 0 || state & PREEMPTED;
	return true;
}

static bool decode_wake(const struct watch *w, const char *raw, uint32_t bytes, struct event *event)
{
	int32_t pid = 0;

	if (!get(raw, bytes, &w->wake_pid, &pid))
		return false;
	event->kind = EVENT_WAKE;
	event->tid = pid;
	return true;
}

/* PERF_SAMPLE_IDENTIFIER, TIME, RAW: u64 id, u64 time, u32 size, bytes. */
static bool decode_sample(const struct watch *w, const char *body, size_t len, struct event *event)
{
	uint16_t type = 0;
	uint32_t raw = 0;

	if (len < 20)
		return false;
	memcpy(&event->time_ns, body + 8, 8);
	memcpy(&raw, body + 16, 4);
	body += 20;
	if (raw > len - 20 || raw < sizeof(type))
		return false;
	/* common_type, the first field of every tracepoint's record */
	memcpy(&type, body, sizeof(type));
	if (type == w->ids[POINT_SWITCH])
		return decode_switch(w, body, raw, event);
	return decode_wake(w, body, raw, event);
}

/* The next record of a ring, not taken yet.  Return: 1, 0 (none), -EBADMSG. */
static int peek(const struct watch *w, const struct ring *ring, uint64_t head, struct event *event)
{
	struct perf_event_header header;
	char record[RECORD_MAX];

	*event = (struct event){ .kind = EVENT_NONE };
	if (ring->tail >= head)
		return 0;
	copy_out(w, ring, ring->tail, &header, sizeof(header));
	if (header.size < sizeof(header) || header.size > sizeof(record) ||
	    header.size > head - ring->tail)
		return -EBADMSG;
	copy_out(w, ring, ring->tail, record, header.size);
	event->bytes = header.size;
	event->kind = EVENT_OTHER;
	if (header.type == PERF_RECORD_SAMPLE)
		return decode_sample(w, record + sizeof(header), header.size - sizeof(header),
				     event)
			       ? 1
			       : -EBADMSG;
	if (header.type == PERF_RECORD_LOST && header.size >= sizeof(header) + 16) {
		event->kind = EVENT_LOST;
		memcpy(&event->lost, record + sizeof(header) + 8, 8);
	}
	return 1;
}

struct merge {
	uint64_t heads[WATCH_CPUS];
	struct event next[WATCH_CPUS];
};

static int advance(const struct watch *w, struct merge *m, uint32_t cpu)
{
	int r = peek(w, &w->rings[cpu], m->heads[cpu], &m->next[cpu]);

	m->next[cpu].change.cpu = cpu;
	return r;
}

static void apply(struct watch *w, const struct event *event)
{
	if (event->kind == EVENT_SWITCH)
		watch_state_switch(w->state, &event->change);
	else if (event->kind == EVENT_WAKE)
		watch_state_wake(w->state, event->tid, event->time_ns);
	else if (event->kind == EVENT_LOST)
		watch_state_lost(w->state, event->lost);
}

static int start_merge(struct watch *w, struct merge *m)
{
	for (uint32_t cpu = 0; cpu < w->nr_cpus; cpu++) {
		struct ring *ring = &w->rings[cpu];
		int r;

		m->next[cpu] = (struct event){ .kind = EVENT_NONE };
		if (!ring->page)
			continue;
		m->heads[cpu] = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);
		r = advance(w, m, cpu);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The CPU whose next event is the earliest before @until; equal times in the order of CPUs. */
static int earliest(const struct watch *w, const struct merge *m, uint64_t until)
{
	int best = -1;

	for (uint32_t cpu = 0; cpu < w->nr_cpus; cpu++) {
		const struct event *event = &m->next[cpu];

		if (event->kind == EVENT_NONE || event->time_ns > until)
			continue;
		if (best < 0 || event->time_ns < m->next[best].time_ns)
			best = (int)cpu;
	}
	return best;
}

static bool is_half_full(const struct watch *w)
{
	for (uint32_t cpu = 0; cpu < w->nr_cpus; cpu++) {
		const struct ring *ring = &w->rings[cpu];

		if (ring->page &&
		    __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE) - ring->tail >
			    w->ring_bytes / 2)
			return true;
	}
	return false;
}

/* The earliest first; all, or until no ring is more than half full. */
static int take(struct watch *watch, bool all)
{
	_cleanup_free_ struct merge *m = malloc(sizeof(*m));
	uint64_t until = clock_mono_ns() - IN_FLIGHT_NS;
	int cpu, r;

	if (!m)
		return -ENOMEM;
	r = start_merge(watch, m);
	while (r >= 0 && (all || is_half_full(watch)) && (cpu = earliest(watch, m, until)) >= 0) {
		struct ring *ring = &watch->rings[cpu];

		apply(watch, &m->next[cpu]);
		ring->tail += m->next[cpu].bytes;
		r = advance(watch, m, (uint32_t)cpu);
	}
	for (uint32_t c = 0; c < watch->nr_cpus; c++)
		if (watch->rings[c].page)
			__atomic_store_n(&watch->rings[c].page->data_tail, watch->rings[c].tail,
					 __ATOMIC_RELEASE);
	return r < 0 ? r : 0;
}

int watch_drain(struct watch *watch)
{
	return take(watch, true);
}

int watch_relieve(struct watch *watch)
{
	return is_half_full(watch) ? take(watch, false) : 0;
}

/* --- what is asked for ------------------------------------------------------------------------ */
int watch_track(struct watch *watch, pid_t tid, const uint64_t cpus[WATCH_CPU_WORDS],
		uint64_t now_ns)
{
	return watch_state_track(watch->state, tid, cpus, now_ns);
}

int watch_near(struct watch *watch, pid_t tid, const uint64_t cpus[WATCH_CPU_WORDS])
{
	return watch_state_near(watch->state, tid, cpus);
}

void watch_forget(struct watch *watch, pid_t tid)
{
	watch_state_forget(watch->state, tid);
}

void watch_begin(struct watch *watch, uint64_t now_ns)
{
	watch_state_begin(watch->state, now_ns);
}

int watch_read(const struct watch *watch, pid_t tid, uint64_t now_ns, struct watch_wait *ret_wait)
{
	return watch_state_read(watch->state, tid, now_ns, ret_wait);
}

int watch_read_cpu(const struct watch *watch, uint32_t cpu, uint64_t now_ns,
		   struct watch_cpu *ret_cpu)
{
	return watch_state_read_cpu(watch->state, cpu, now_ns, ret_cpu);
}
