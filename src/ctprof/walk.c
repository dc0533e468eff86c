// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "ctprof/collect.h"
#include "ctprof/fault.h"
#include "ctprof/procfs.h"

enum { BUF_BYTES = 32768, BUF_MAX_BYTES = 1 << 20, NO_FAILURE = -1, MAX_PIDS = 4 << 20 };

struct pid_list {
	uint32_t *pids;
	size_t nr, size;
};

struct walk {
	struct collect *collect;
	struct builder *builder;
	int proc_fd;
	char *buf; /* reused from file to file */
	size_t buf_size;
	bool missing[KTSTR_CTPROF_NR_FILES]; /* this kernel has no such file */
	struct pid_list tids;
};

/* A process while its threads are visited. */
struct process {
	uint32_t tgid;
	int task_fd;
	const char *pcomm; /* interned */
};

/* One thread while its files are read. */
struct visit {
	struct ktstr_ctprof_thread *thread;
	struct process *process;
	int dir_fd; /* its folder: stays with this thread even if the number is used again */
	struct procfs_extra extra;
	bool stat_read;
	int8_t failures[KTSTR_CTPROF_NR_FILES]; /* enum ktstr_ctprof_reason or NO_FAILURE */
};

static void walk_deinit(struct walk *w)
{
	free(w->buf);
	free(w->tids.pids);
	w->buf = NULL;
	w->tids = (struct pid_list){ 0 };
}

static int grow_buf(struct walk *w)
{
	size_t size = w->buf_size ? w->buf_size * 2 : BUF_BYTES;
	char *buf;

	if (size > BUF_MAX_BYTES)
		return -E2BIG;
	buf = realloc(w->buf, size);
	if (!buf)
		return -ENOMEM;
	w->buf = buf;
	w->buf_size = size;
	return 0;
}

/* These files are made in one piece, so a read that leaves room has everything. */
static int read_fd(struct walk *w, int fd, struct span *ret_text)
{
	size_t len = 0;
	ssize_t n;

	for (;;) {
		if (w->buf_size - len == 0) {
			int r = grow_buf(w);

			if (r < 0)
				return r;
		}
		n = read(fd, w->buf + len, w->buf_size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		len += (size_t)n;
		if (len < w->buf_size)
			break;
	}
	*ret_text = (struct span){ w->buf, len };
	return 0;
}

static int read_file(struct walk *w, const struct visit *v, const char *name, struct span *ret_text)
{
	int fd = openat(v->dir_fd, name, O_RDONLY | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	r = read_fd(w, fd, ret_text);
	close(fd);
	return r;
}

static enum ktstr_ctprof_reason reason_for(struct walk *w, const struct visit *v,
					   enum ktstr_ctprof_file file, int error)
{
	switch (-error) {
	case ESRCH:
		return KTSTR_CTPROF_REASON_VANISHED;
	case EACCES:
	case EPERM:
		return KTSTR_CTPROF_REASON_PERMISSION;
	case EINVAL:
		return KTSTR_CTPROF_REASON_UNPARSABLE;
	case ENODATA:
		return KTSTR_CTPROF_REASON_MISSING;
	case ENOENT:
		if (file == KTSTR_CTPROF_FILE_STAT || faccessat(v->dir_fd, "stat", F_OK, 0) < 0)
			return KTSTR_CTPROF_REASON_VANISHED;
		w->missing[file] = true;
		return KTSTR_CTPROF_REASON_MISSING;
	default:
		return KTSTR_CTPROF_REASON_OTHER;
	}
}

static int set_text(struct walk *w, struct visit *v, enum ktstr_ctprof_text text, struct span s)
{
	const char *copy = builder_intern(w->builder, s.at, s.len);

	v->thread->texts[text] = copy;
	return copy ? 0 : -ENOMEM;
}

static int take_stat(struct walk *w, struct visit *v, struct span text)
{
	int r = procfs_parse_stat(text, v->thread, &v->extra);

	if (r < 0)
		return r;
	v->stat_read = true;
	return set_text(w, v, KTSTR_CTPROF_TEXT_COMM,
			(struct span){ v->extra.comm, strlen(v->extra.comm) });
}

static int take_status(struct walk *w, struct visit *v, struct span text)
{
	int r = procfs_parse_status(text, v->thread, &v->extra), r2 = 0;

	if (v->extra.affinity.len)
		r2 = set_text(w, v, KTSTR_CTPROF_TEXT_CPU_AFFINITY, v->extra.affinity);
	return r2 < 0 ? r2 : r;
}

static int take_cgroup(struct walk *w, struct visit *v, struct span text)
{
	struct span path;
	int r = procfs_parse_cgroup(text, &path);

	if (r < 0)
		return r == -ENOENT ? -ENODATA : r;
	return set_text(w, v, KTSTR_CTPROF_TEXT_CGROUP, path);
}

static int parse_file(struct walk *w, struct visit *v, enum ktstr_ctprof_file file,
		      struct span text)
{
	switch (file) {
	case KTSTR_CTPROF_FILE_STAT:
		return take_stat(w, v, text);
	case KTSTR_CTPROF_FILE_STATUS:
		return take_status(w, v, text);
	case KTSTR_CTPROF_FILE_SCHEDSTAT:
		return procfs_parse_schedstat(text, v->thread);
	case KTSTR_CTPROF_FILE_SCHED:
		return procfs_parse_sched(text, v->thread);
	case KTSTR_CTPROF_FILE_IO:
		return procfs_parse_io(text, v->thread);
	case KTSTR_CTPROF_FILE_CGROUP:
		return take_cgroup(w, v, text);
	default:
		return -EINVAL;
	}
}

static int read_one(struct walk *w, struct visit *v, enum ktstr_ctprof_file file)
{
	struct span text;
	int r;

	v->failures[file] = NO_FAILURE;
	if (w->missing[file]) {
		v->failures[file] = KTSTR_CTPROF_REASON_MISSING;
		return 0;
	}
	r = read_file(w, v, ktstr_ctprof_file_name(file), &text);
	if (r == 0)
		r = parse_file(w, v, file, text);
	if (r < 0 && r != -ENOMEM)
		v->failures[file] = (int8_t)reason_for(w, v, file, r);
	return r == -ENOMEM ? r : 0;
}

/* stat carries the name as well; comm is asked only where stat gave nothing. */
static int read_comm(struct walk *w, struct visit *v)
{
	struct span text;

	if (v->stat_read || read_file(w, v, "comm", &text) < 0)
		return 0;
	if (text.len && text.at[text.len - 1] == '\n')
		text.len--;
	return text.len ? set_text(w, v, KTSTR_CTPROF_TEXT_COMM, text) : 0;
}

/* @parent_fd: the process's task folder, or /proc itself for a leader. */
static int read_files(struct walk *w, struct visit *v, int parent_fd)
{
	_cleanup_close_ int dir_fd = -1;
	char name[16];
	int r = 0;

	snprintf(name, sizeof(name), "%u", v->thread->tid);
	dir_fd = openat(parent_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return errno == EMFILE || errno == ENFILE ? -errno : 0;
	v->dir_fd = dir_fd;
	for (unsigned int file = 0; file <= KTSTR_CTPROF_FILE_CGROUP && r == 0; file++)
		r = read_one(w, v, file);
	if (r == 0)
		r = read_comm(w, v);
	v->dir_fd = -1;
	return r;
}

static bool is_ghost(const struct visit *v)
{
	const struct ktstr_ctprof_thread *t = v->thread;
	bool leader = t->tid == t->tgid;

	if (leader && ctprof_fault() == KTSTR_CTPROF_FAULT_LEADER_DROPPED)
		return true;
	return !t->texts[KTSTR_CTPROF_TEXT_COMM] &&
	       !ktstr_ctprof_get_or_zero(t, KTSTR_CTPROF_START_TIME);
}

/* The leader's own folder outlasts an exec by another thread, which takes the leader's place. */
static int read_leader_again(struct walk *w, struct visit *v)
{
	uint32_t tgid = v->thread->tgid;

	memset(v->thread, 0, sizeof(*v->thread));
	v->thread->tgid = v->thread->tid = tgid;
	return read_files(w, v, w->proc_fd);
}

static void keep_process_values_on_leader(struct ktstr_ctprof_thread *t)
{
	if (t->tid == t->tgid)
		return;
	thread_clear(t, KTSTR_CTPROF_NR_THREADS);
	thread_clear(t, KTSTR_CTPROF_HIWATER_RSS);
	thread_clear(t, KTSTR_CTPROF_HIWATER_VM);
}

static void set_note(struct walk *w, const struct visit *v)
{
	uint32_t flags = v->extra.kernel_thread ? NOTE_KERNEL_THREAD : 0;

	if (v->extra.zombie || !v->stat_read)
		flags |= NOTE_GONE;
	builder_note(w->builder)->flags = flags;
}

static void count_failures(struct walk *w, const struct visit *v)
{
	for (unsigned int file = 0; file < KTSTR_CTPROF_NR_FILES; file++)
		if (v->failures[file] != NO_FAILURE)
			w->builder->head.summary.failures[file][v->failures[file]]++;
}

static int finish_thread(struct walk *w, struct visit *v)
{
	struct ktstr_ctprof_thread *t = v->thread;

	if (t->tid == t->tgid)
		v->process->pcomm = t->texts[KTSTR_CTPROF_TEXT_COMM];
	t->texts[KTSTR_CTPROF_TEXT_PCOMM] = v->process->pcomm;
	keep_process_values_on_leader(t);
	builder_fill_present(w->builder, KTSTR_FILLER_PROCFS, t);
	set_note(w, v);
	count_failures(w, v);
	return 0;
}

static int walk_thread(struct walk *w, struct process *p, uint32_t tid)
{
	struct visit v = { .process = p, .dir_fd = -1 };
	int r;

	w->builder->head.summary.threads_walked++;
	v.thread = builder_add_thread(w->builder);
	if (!v.thread)
		return w->builder->nr_threads < KTSTR_CTPROF_MAX_THREADS ? -ENOMEM : -E2BIG;
	v.thread->tgid = p->tgid;
	v.thread->tid = tid;
	memset(v.failures, NO_FAILURE, sizeof(v.failures));
	r = read_files(w, &v, p->task_fd);
	if (r == 0 && tid == p->tgid && is_ghost(&v))
		r = read_leader_again(w, &v);
	if (r < 0)
		return r;
	if (is_ghost(&v)) {
		builder_drop_thread(w->builder);
		w->builder->head.summary.ghosts++;
		return 0;
	}
	return finish_thread(w, &v);
}

static int add_pid(struct pid_list *list, const char *name)
{
	uint32_t pid, *pids;

	if (parse_u32(name, &pid) < 0 || !pid)
		return 0;
	if (list->nr == list->size) {
		size_t size = list->size ? list->size * 2 : 1024;

		if (size > MAX_PIDS)
			return -E2BIG;
		pids = reallocarray(list->pids, size, sizeof(*pids));
		if (!pids)
			return -ENOMEM;
		list->pids = pids;
		list->size = size;
	}
	list->pids[list->nr++] = pid;
	return 0;
}

static int compare_pids(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Numeric names in a folder, sorted. */
static int list_pids(int dir_fd, struct pid_list *list)
{
	_Alignas(struct dirent64) char bytes[32768];
	ssize_t n;
	int r = 0;

	list->nr = 0;
	while (r == 0 && (n = getdents64(dir_fd, bytes, sizeof(bytes))) != 0) {
		if (n < 0)
			return -errno;
		for (ssize_t at = 0; at < n && r == 0;) {
			const struct dirent64 *de = (const struct dirent64 *)(bytes + at);

			r = add_pid(list, de->d_name);
			at += de->d_reclen;
		}
	}
	if (list->nr)
		qsort(list->pids, list->nr, sizeof(*list->pids), compare_pids);
	return r;
}

static int walk_process(struct walk *w, uint32_t tgid)
{
	_cleanup_close_ int task_fd = -1;
	struct process p = { .tgid = tgid };
	char path[32];
	int r;

	snprintf(path, sizeof(path), "%u/task", tgid);
	task_fd = openat(w->proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (task_fd < 0)
		return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? -errno : 0;
	p.task_fd = task_fd;
	r = list_pids(task_fd, &w->tids);
	if (r == -ENOMEM || r == -E2BIG)
		return r;
	w->builder->head.summary.processes++;
	/* First the leader, listed or not: the others take their process's name from it. */
	r = walk_thread(w, &p, tgid);
	for (size_t i = 0; i < w->tids.nr && r == 0; i++)
		if (w->tids.pids[i] != tgid)
			r = walk_thread(w, &p, w->tids.pids[i]);
	return r;
}

static int walk_all(struct walk *w, struct ktstr_error *err)
{
	struct pid_list tgids = { 0 };
	int r = grow_buf(w);

	if (r == 0 && w->collect->opts->pid)
		r = walk_process(w, (uint32_t)w->collect->opts->pid);
	else if (r == 0)
		r = list_pids(w->proc_fd, &tgids);
	for (size_t i = 0; i < tgids.nr && r == 0; i++)
		r = walk_process(w, tgids.pids[i]);
	free(tgids.pids);
	if (r == -E2BIG)
		return ktstr_error_set(err, r, "more than %d threads", KTSTR_CTPROF_MAX_THREADS);
	if (r < 0)
		return ktstr_error_set(err, r, "walk /proc: %s", strerror(-r));
	return 0;
}

static int fill(struct collect *c, struct ktstr_error *err)
{
	_cleanup_(walk_deinit) struct walk w = {
		.collect = c,
		.builder = c->builder,
		.proc_fd = c->proc_fd,
	};

	return walk_all(&w, err);
}

const struct collector procfs_collector = { .name = "procfs", .fill = fill };
