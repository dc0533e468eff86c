// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/parse.h"
#include "ctprof/cgroup_text.h"
#include "ctprof/crew.h"
#include "ctprof/visit.h"

enum { MAX_PIDS = 4 << 20 };

struct pid_list {
	uint32_t *pids;
	size_t nr, size;
};

/* What all walkers share. */
struct walk {
	struct collect *collect;
	struct pid_list tgids;
	struct taskstats_kernel kernel;
	int cgroup_fd; /* -1: none */
	bool calls_for_affinity;
};

/* One of the threads that read /proc. */
struct walker {
	const struct walk *walk;
	struct reader reader;
	struct builder own; /* joined with the collect's in the end */
	struct pid_list tids;
	struct taskstats_socket *taskstats; /* NULL: not asked */
	int taskstats_failure;		    /* enum ktstr_ctprof_reason of all threads, or -1 */
	size_t pending[TASKSTATS_BATCH]; /* threads to be asked about, as places in the builder */
	size_t nr_pending;
	bool answered[TASKSTATS_BATCH];
	const char *cgroup; /* the last one that was looked at */
	bool cgroup_holds_all;
};

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

static enum ktstr_ctprof_reason taskstats_reason(int error)
{
	if (error == -ENODATA)
		return KTSTR_CTPROF_REASON_SWITCHED_OFF;
	return error == -EPROTONOSUPPORT ? KTSTR_CTPROF_REASON_MISSING : collect_reason(error);
}

static void take_taskstats(void *arg, size_t index, int result, const void *bytes, size_t len)
{
	struct walker *w = arg;
	struct ktstr_ctprof_thread *t = &w->reader.builder->threads[w->pending[index]];

	w->answered[index] = true;
	if (result == 0) {
		uint64_t before[KTSTR_CTPROF_PRESENT_WORDS];

		memcpy(before, t->present, sizeof(before));
		result = taskstats_parse(bytes, len, &w->walk->kernel, t);
		for (unsigned int i = 0; i < KTSTR_CTPROF_PRESENT_WORDS; i++)
			w->reader.builder->filled[KTSTR_FILLER_TASKSTATS][i] |=
				t->present[i] & ~before[i];
	}
	if (result < 0)
		reader_count_failure(&w->reader, KTSTR_CTPROF_FILE_TASKSTATS,
				     taskstats_reason(result));
}

static void ask_taskstats(struct walker *w)
{
	uint32_t tids[TASKSTATS_BATCH];
	int r;

	if (!w->nr_pending)
		return;
	memset(w->answered, 0, sizeof(w->answered));
	for (size_t i = 0; i < w->nr_pending; i++)
		tids[i] = w->reader.builder->threads[w->pending[i]].tid;
	r = taskstats_query(w->taskstats, tids, w->nr_pending, take_taskstats, w);
	for (size_t i = 0; i < w->nr_pending; i++)
		if (!w->answered[i])
			reader_count_failure(&w->reader, KTSTR_CTPROF_FILE_TASKSTATS,
					     taskstats_reason(r));
	w->nr_pending = 0;
}

static void want_taskstats(struct walker *w)
{
	const struct builder *b = w->reader.builder;

	if (!collect_wants_thread(w->walk->collect, &b->threads[b->nr_threads - 1]))
		return;
	if (w->taskstats_failure >= 0)
		reader_count_failure(&w->reader, KTSTR_CTPROF_FILE_TASKSTATS,
				     (enum ktstr_ctprof_reason)w->taskstats_failure);
	if (!w->taskstats)
		return;
	w->pending[w->nr_pending++] = b->nr_threads - 1;
	if (w->nr_pending == TASKSTATS_BATCH)
		ask_taskstats(w);
}

static bool is_type(int dir_fd, const char *folder, const char *type)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(4096);
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/cgroup.type", folder) >= (int)sizeof(path))
		return false;
	return io_read_file_at(dir_fd, path, &text) == 0 && !strcmp(strbuf_str(&text), type);
}

/* Threads of one process part only below a cgroup whose children are threaded. */
static bool has_threaded_child(int cgroup_fd)
{
	_cleanup_close_ int fd = openat(cgroup_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	bool found = !dir;
	struct dirent *de;

	if (dir)
		fd = -1;
	while (!found && (de = readdir(dir)))
		found = de->d_type == DT_DIR && *de->d_name != '.' &&
			is_type(cgroup_fd, de->d_name, "threaded\n");
	if (dir)
		closedir(dir);
	return found;
}

static bool holds_all_threads(struct walker *w, const char *cgroup)
{
	int fd = w->walk->cgroup_fd;

	if (fd < 0 || !cgroup)
		return false;
	if (cgroup == w->cgroup)
		return w->cgroup_holds_all;
	w->cgroup = cgroup;
	if (!cgroup[1])
		w->cgroup_holds_all = !has_threaded_child(fd);
	else
		w->cgroup_holds_all =
			strncmp(cgroup, "/..", 3) && is_type(fd, cgroup + 1, "domain\n");
	return w->cgroup_holds_all;
}

static int walk_threads(struct walker *w, struct process *p)
{
	int r = visit_thread(&w->reader, p, p->tgid);
	size_t nr = w->reader.builder->nr_threads;

	/* First the leader, listed or not: the others take their process's name from it. */
	if (r == 0 && nr && w->reader.builder->threads[nr - 1].tid == p->tgid) {
		const char *cgroup =
			w->reader.builder->threads[nr - 1].texts[KTSTR_CTPROF_TEXT_CGROUP];

		want_taskstats(w);
		if (w->tids.nr > 2 && holds_all_threads(w, cgroup))
			p->cgroup = cgroup;
	}
	for (size_t i = 0; i < w->tids.nr && r == 0; i++) {
		if (w->tids.pids[i] == p->tgid)
			continue;
		nr = w->reader.builder->nr_threads;
		r = visit_thread(&w->reader, p, w->tids.pids[i]);
		if (w->reader.builder->nr_threads > nr)
			want_taskstats(w);
	}
	return r;
}

/* With hidepid=1 processes of others are listed, and that is all. */
static int cannot_enter(struct walker *w, int error)
{
	if (error == EACCES || error == EPERM)
		reader_count_failure(&w->reader, KTSTR_CTPROF_FILE_STAT,
				     KTSTR_CTPROF_REASON_PERMISSION);
	return error == EMFILE || error == ENFILE || error == ENOMEM ? -error : 0;
}

static int walk_process(void *member, size_t piece)
{
	struct walker *w = member;
	_cleanup_close_ int task_fd = -1;
	struct process p = { .tgid = w->walk->tgids.pids[piece] };
	char path[32];
	int r;

	snprintf(path, sizeof(path), "%u/task", p.tgid);
	task_fd = openat(w->walk->collect->proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (task_fd < 0)
		return cannot_enter(w, errno);
	p.task_fd = task_fd;
	r = list_pids(task_fd, &w->tids);
	if (r == -ENOMEM || r == -E2BIG)
		return r;
	w->reader.builder->head.summary.processes++;
	return walk_threads(w, &p);
}

/* Only then has "status" no CPUs in its list that the call leaves out. */
static bool every_cpu_is_online(void)
{
	_cleanup_strbuf_ struct strbuf possible = STRBUF_INIT, online = STRBUF_INIT;

	return io_read_file("/sys/devices/system/cpu/possible", &possible, NULL) == 0 &&
	       io_read_file("/sys/devices/system/cpu/online", &online, NULL) == 0 &&
	       !strcmp(strbuf_str(&possible), strbuf_str(&online));
}

static int walker_init(struct walker *w, const struct walk *walk, struct builder *b)
{
	bool live = walk->collect->live && !walk->collect->foreign;
	int r = reader_init(&w->reader, walk->collect, b);

	w->walk = walk;
	w->taskstats_failure = -1;
	if (r < 0 || !live)
		return r;
	r = taskstats_open(&walk->kernel, &w->taskstats);
	if (r < 0)
		w->taskstats_failure = taskstats_reason(r);
	w->reader.taskstats = w->taskstats;
	w->reader.calls_for_affinity = walk->calls_for_affinity;
	return r == -ENOMEM ? r : 0;
}

static void walker_deinit(struct walker *w)
{
	taskstats_close(w->taskstats);
	reader_deinit(&w->reader);
	builder_deinit(&w->own);
	free(w->tids.pids);
}

static int walk_in_parallel(struct walk *walk, struct walker *walkers, unsigned int nr)
{
	struct crew crew = { .work = walk_process, .nr_members = nr, .nr_pieces = walk->tgids.nr };
	int r = 0;

	for (unsigned int i = 0; i < nr && r == 0; i++) {
		crew.members[i] = &walkers[i];
		r = walker_init(&walkers[i], walk, i ? &walkers[i].own : walk->collect->builder);
	}
	if (r == 0)
		r = crew_run(&crew);
	for (unsigned int i = 0; i < nr && r == 0; i++)
		ask_taskstats(&walkers[i]);
	for (unsigned int i = 1; i < nr && r == 0; i++)
		r = builder_join(walk->collect->builder, &walkers[i].own);
	return r;
}

static int walk_all(struct walk *walk)
{
	unsigned int nr = walk->collect->opts->jobs ? walk->collect->opts->jobs : crew_size();
	struct walker *walkers;
	int r;

	if (nr > CREW_MAX)
		nr = CREW_MAX;
	if (nr > walk->tgids.nr)
		nr = walk->tgids.nr ? (unsigned int)walk->tgids.nr : 1;
	walkers = calloc(nr, sizeof(*walkers));
	if (!walkers)
		return -ENOMEM;
	r = walk_in_parallel(walk, walkers, nr);
	for (unsigned int i = 0; i < nr; i++)
		walker_deinit(&walkers[i]);
	free(walkers);
	return r;
}

/* @only: this process; 0: all. */
static int list_processes(struct walk *walk, uint32_t only)
{
	char pid[16];

	if (!only)
		return list_pids(walk->collect->proc_fd, &walk->tgids);
	snprintf(pid, sizeof(pid), "%u", only);
	return add_pid(&walk->tgids, pid);
}

static int walk_processes(struct collect *c, uint32_t only, struct ktstr_error *err)
{
	_cleanup_close_ int cgroup_fd = -1;
	struct walk walk = { .collect = c };
	int r;

	/* A mount of the whole tree is the first. */
	if (c->live && c->cgroup_mounts->nr && !c->cgroup_mounts->list[0].root[1])
		cgroup_fd =
			open(c->cgroup_mounts->list[0].path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	walk.cgroup_fd = cgroup_fd;
	walk.calls_for_affinity = every_cpu_is_online();
	walk.kernel = taskstats_kernel();
	r = list_processes(&walk, only);
	if (r == 0)
		r = walk_all(&walk);
	free(walk.tgids.pids);
	if (r == -E2BIG)
		return ktstr_error_set(err, r, "more than %d threads", KTSTR_CTPROF_MAX_THREADS);
	if (r < 0)
		return ktstr_error_set(err, r, "walk /proc: %s", strerror(-r));
	return 0;
}

static int fill(struct collect *c, struct ktstr_error *err)
{
	return walk_processes(c, (uint32_t)c->opts->pid, err);
}

int collect_process(struct collect *c, uint32_t tgid, struct ktstr_error *err)
{
	return walk_processes(c, tgid, err);
}

const struct collector procfs_collector = { .name = "procfs", .fill = fill };
