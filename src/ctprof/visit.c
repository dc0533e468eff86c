// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof/visit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ctprof/fault.h"

enum { BUF_BYTES = 32768, BUF_MAX_BYTES = 1 << 20, NO_FAILURE = -1, PATH_BYTES = 48 };

/* One thread while its files are read. */
struct visit {
	struct ktstr_ctprof_thread *thread;
	struct process *process;
	int parent_fd;
	char path[PATH_BYTES]; /* its folder in there, and the file being read */
	size_t folder_len;
	struct procfs_extra extra;
	bool stat_read;
	int8_t failures[KTSTR_CTPROF_NR_FILES]; /* enum ktstr_ctprof_reason or NO_FAILURE */
};

static int grow_buf(struct reader *r)
{
	size_t size = r->buf_size ? r->buf_size * 2 : BUF_BYTES;
	char *buf;

	if (size > BUF_MAX_BYTES)
		return -E2BIG;
	buf = realloc(r->buf, size);
	if (!buf)
		return -ENOMEM;
	r->buf = buf;
	r->buf_size = size;
	return 0;
}

int reader_init(struct reader *r, const struct collect *c, struct builder *b)
{
	*r = (struct reader){ .collect = c, .builder = b, .cgroup_fd = -1 };
	return grow_buf(r);
}

void reader_deinit(struct reader *r)
{
	free(r->buf);
	r->buf = NULL;
}

/* These files are made in one piece, so a read that leaves room has everything. */
static int read_fd(struct reader *r, int fd, struct span *ret_text)
{
	size_t len = 0;
	ssize_t n;

	for (;;) {
		if (r->buf_size - len == 0) {
			int result = grow_buf(r);

			if (result < 0)
				return result;
		}
		n = read(fd, r->buf + len, r->buf_size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		len += (size_t)n;
		if (len < r->buf_size)
			break;
	}
	*ret_text = (struct span){ r->buf, len };
	return 0;
}

static const char *path_to(struct visit *v, const char *name)
{
	snprintf(v->path + v->folder_len, sizeof(v->path) - v->folder_len, "%s", name);
	return v->path;
}

static int read_file(struct reader *r, struct visit *v, const char *name, struct span *ret_text)
{
	int fd = openat(v->parent_fd, path_to(v, name), O_RDONLY | O_CLOEXEC), result;

	if (fd < 0)
		return -errno;
	result = read_fd(r, fd, ret_text);
	close(fd);
	return result;
}

static enum ktstr_ctprof_reason reason_for(struct reader *r, struct visit *v,
					   enum ktstr_ctprof_file file, int error)
{
	if (error != -ENOENT)
		return collect_reason(error);
	if (file == KTSTR_CTPROF_FILE_STAT ||
	    faccessat(v->parent_fd, path_to(v, "stat"), F_OK, 0) < 0)
		return KTSTR_CTPROF_REASON_VANISHED;
	r->missing[file] = true;
	return KTSTR_CTPROF_REASON_MISSING;
}

static int set_text(struct reader *r, struct visit *v, enum ktstr_ctprof_text text, struct span s)
{
	const char *copy = builder_intern(r->builder, s.at, s.len);

	v->thread->texts[text] = copy;
	return copy ? 0 : -ENOMEM;
}

static int take_stat(struct reader *r, struct visit *v, struct span text)
{
	int result = procfs_parse_stat(text, v->thread, &v->extra);

	if (result < 0)
		return result;
	v->stat_read = true;
	return set_text(r, v, KTSTR_CTPROF_TEXT_COMM,
			(struct span){ v->extra.comm, strlen(v->extra.comm) });
}

static int take_status(struct reader *r, struct visit *v, struct span text)
{
	int result = procfs_parse_status(text, v->thread, &v->extra), result2 = 0;

	if (v->extra.affinity.len)
		result2 = set_text(r, v, KTSTR_CTPROF_TEXT_CPU_AFFINITY, v->extra.affinity);
	return result2 < 0 ? result2 : result;
}

static int take_cgroup(struct reader *r, struct visit *v, struct span text)
{
	struct span path;
	int result = procfs_parse_cgroup(text, &path);

	if (result < 0)
		return result == -ENOENT ? -ENODATA : result;
	return set_text(r, v, KTSTR_CTPROF_TEXT_CGROUP, path);
}

static int parse_file(struct reader *r, struct visit *v, enum ktstr_ctprof_file file,
		      struct span text)
{
	switch (file) {
	case KTSTR_CTPROF_FILE_STAT:
		return take_stat(r, v, text);
	case KTSTR_CTPROF_FILE_STATUS:
		return take_status(r, v, text);
	case KTSTR_CTPROF_FILE_SCHEDSTAT:
		return procfs_parse_schedstat(text, v->thread);
	case KTSTR_CTPROF_FILE_SCHED:
		return procfs_parse_sched(text, v->thread);
	case KTSTR_CTPROF_FILE_IO:
		return procfs_parse_io(text, v->thread);
	case KTSTR_CTPROF_FILE_CGROUP:
		return take_cgroup(r, v, text);
	default:
		return -EINVAL;
	}
}

static int read_one(struct reader *r, struct visit *v, enum ktstr_ctprof_file file)
{
	struct span text;
	int result;

	if (r->missing[file]) {
		v->failures[file] = KTSTR_CTPROF_REASON_MISSING;
		return 0;
	}
	result = read_file(r, v, ktstr_ctprof_file_name(file), &text);
	if (result == 0)
		result = parse_file(r, v, file, text);
	if (result == -ENOMEM || result == -EMFILE || result == -ENFILE)
		return result;
	if (result < 0)
		v->failures[file] = (int8_t)reason_for(r, v, file, result);
	return 0;
}

/* stat carries the name as well; comm is asked only where stat gave nothing. */
static int read_comm(struct reader *r, struct visit *v)
{
	struct span text;

	if (read_file(r, v, "comm", &text) < 0)
		return 0;
	if (text.len && text.at[text.len - 1] == '\n')
		text.len--;
	return text.len ? set_text(r, v, KTSTR_CTPROF_TEXT_COMM, text) : 0;
}

static int set_affinity_text(struct reader *r, const unsigned char *mask, size_t len)
{
	char text[VISIT_AFFINITY_BYTES * 8];
	size_t at = 0, nr = len * 8;

	for (size_t i = 0; i < nr && at < sizeof(text) - 32; i++) {
		size_t first = i;

		while (i < nr && mask[i / 8] >> (i % 8) & 1)
			i++;
		if (i == first)
			continue;
		at += (size_t)snprintf(text + at, sizeof(text) - at,
				       i - first > 1 ? "%s%zu-%zu" : "%s%zu", at ? "," : "", first,
				       i - 1);
	}
	r->affinity_text = builder_intern(r->builder, text, at);
	if (!r->affinity_text)
		return -ENOMEM;
	memcpy(r->affinity, mask, len);
	r->affinity_len = len;
	return 0;
}

/* Return: 1 if it is known now, 0 if "status" must tell, -ENOMEM. */
static int call_for_affinity(struct reader *r, struct visit *v)
{
	unsigned char mask[VISIT_AFFINITY_BYTES];
	long len = r->calls_for_affinity
			   ? syscall(SYS_sched_getaffinity, v->thread->tid, sizeof(mask), mask)
			   : -1;

	if (len <= 0)
		return 0;
	if ((size_t)len != r->affinity_len || memcmp(mask, r->affinity, (size_t)len)) {
		int result = set_affinity_text(r, mask, (size_t)len);

		if (result < 0)
			return result;
	}
	v->thread->texts[KTSTR_CTPROF_TEXT_CPU_AFFINITY] = r->affinity_text;
	return 1;
}

static bool has(const struct visit *v, enum ktstr_ctprof_metric metric)
{
	return ktstr_ctprof_get(v->thread, metric, &(int64_t){ 0 });
}

static int read_status(struct reader *r, struct visit *v)
{
	bool leader = v->thread->tid == v->thread->tgid;
	int result;

	if (!leader && has(v, KTSTR_CTPROF_VOLUNTARY_CSW) &&
	    has(v, KTSTR_CTPROF_NONVOLUNTARY_CSW)) {
		result = call_for_affinity(r, v);
		if (result)
			return result < 0 ? result : 0;
	}
	return read_one(r, v, KTSTR_CTPROF_FILE_STATUS);
}

static int read_cgroup(struct reader *r, struct visit *v)
{
	if (v->process->cgroup) {
		v->thread->texts[KTSTR_CTPROF_TEXT_CGROUP] = v->process->cgroup;
		return 0;
	}
	return read_one(r, v, KTSTR_CTPROF_FILE_CGROUP);
}

/* Whether a filter will drop this thread, as far as is known by now. */
static bool is_wanted(const struct reader *r, const struct visit *v)
{
	const char *const *texts = v->thread->texts;
	const char *pcomm = v->thread->tid == v->thread->tgid ? texts[KTSTR_CTPROF_TEXT_COMM]
							      : v->process->pcomm;

	return collect_wants_comm(r->collect, texts[KTSTR_CTPROF_TEXT_COMM], pcomm) &&
	       collect_wants_cgroup(r->collect, texts[KTSTR_CTPROF_TEXT_CGROUP]);
}

static int read_files(struct reader *r, struct visit *v, int parent_fd)
{
	int result;

	v->parent_fd = parent_fd;
	v->folder_len = (size_t)snprintf(v->path, sizeof(v->path), "%u/", v->thread->tid);
	result = read_one(r, v, KTSTR_CTPROF_FILE_STAT);
	if (result < 0 || v->failures[KTSTR_CTPROF_FILE_STAT] == KTSTR_CTPROF_REASON_VANISHED)
		return result;
	if (!v->stat_read)
		result = read_comm(r, v);
	if (result == 0)
		result = read_cgroup(r, v);
	if (result < 0 || !is_wanted(r, v))
		return result;
	result = read_one(r, v, KTSTR_CTPROF_FILE_SCHED);
	if (result == 0 && !r->taskstats)
		result = read_one(r, v, KTSTR_CTPROF_FILE_SCHEDSTAT);
	if (result == 0)
		result = read_one(r, v, KTSTR_CTPROF_FILE_IO);
	return result < 0 ? result : read_status(r, v);
}

static bool is_ghost(const struct visit *v)
{
	const struct ktstr_ctprof_thread *t = v->thread;

	if (t->tid == t->tgid && ctprof_fault() == KTSTR_CTPROF_FAULT_LEADER_DROPPED)
		return true;
	return !t->texts[KTSTR_CTPROF_TEXT_COMM] && !has(v, KTSTR_CTPROF_START_TIME);
}

/* The leader's own folder outlasts an exec by another thread, which takes the leader's place. */
static int read_leader_again(struct reader *r, struct visit *v)
{
	uint32_t tgid = v->thread->tgid;

	memset(v->thread, 0, sizeof(*v->thread));
	memset(v->failures, NO_FAILURE, sizeof(v->failures));
	v->thread->tgid = v->thread->tid = tgid;
	return read_files(r, v, r->collect->proc_fd);
}

static void keep_process_values_on_leader(struct ktstr_ctprof_thread *t)
{
	if (t->tid == t->tgid)
		return;
	thread_clear(t, KTSTR_CTPROF_NR_THREADS);
	thread_clear(t, KTSTR_CTPROF_HIWATER_RSS);
	thread_clear(t, KTSTR_CTPROF_HIWATER_VM);
}

static void set_note(struct reader *r, const struct visit *v)
{
	uint32_t flags = v->extra.kernel_thread ? NOTE_KERNEL_THREAD : 0;

	if (v->extra.zombie || !v->stat_read)
		flags |= NOTE_GONE;
	builder_note(r->builder)->flags = flags;
}

void reader_count_failure(struct reader *r, enum ktstr_ctprof_file file,
			  enum ktstr_ctprof_reason reason)
{
	r->builder->head.summary.failures[file][reason]++;
}

static void finish_thread(struct reader *r, struct visit *v)
{
	struct ktstr_ctprof_thread *t = v->thread;

	if (t->tid == t->tgid)
		v->process->pcomm = t->texts[KTSTR_CTPROF_TEXT_COMM];
	t->texts[KTSTR_CTPROF_TEXT_PCOMM] = v->process->pcomm;
	keep_process_values_on_leader(t);
	builder_fill_present(r->builder, KTSTR_FILLER_PROCFS, t);
	set_note(r, v);
	for (unsigned int file = 0; file < KTSTR_CTPROF_NR_FILES; file++)
		if (v->failures[file] != NO_FAILURE)
			reader_count_failure(r, file, (enum ktstr_ctprof_reason)v->failures[file]);
}

int visit_thread(struct reader *r, struct process *p, uint32_t tid)
{
	struct visit v = { .process = p };
	int result;

	r->builder->head.summary.threads_walked++;
	v.thread = builder_add_thread(r->builder);
	if (!v.thread)
		return r->builder->nr_threads < KTSTR_CTPROF_MAX_THREADS ? -ENOMEM : -E2BIG;
	v.thread->tgid = p->tgid;
	v.thread->tid = tid;
	memset(v.failures, NO_FAILURE, sizeof(v.failures));
	result = read_files(r, &v, p->task_fd);
	if (result == 0 && tid == p->tgid && is_ghost(&v))
		result = read_leader_again(r, &v);
	if (result < 0)
		return result;
	if (is_ghost(&v)) {
		builder_drop_thread(r->builder);
		r->builder->head.summary.ghosts++;
		return 0;
	}
	finish_thread(r, &v);
	return 0;
}
