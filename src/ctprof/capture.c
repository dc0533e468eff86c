// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/parse.h"
#include "ctprof/cgroup_text.h"
#include "ctprof/collect.h"
#include "ctprof/host.h"
#include "ctprof/procfs.h"
#include "ctprof/walk.h"

/* What the capturing thread gets and gives back. */
struct job {
	const struct ktstr_ctprof_opts *opts;
	struct ktstr_ctprof *snapshot;
	struct ktstr_error *err;
	int result;
};

static bool is_live(const struct ktstr_ctprof_opts *opts)
{
	return !opts->proc || !strcmp(opts->proc, "/proc");
}

/* The number by which this /proc knows us; /proc may belong to another pid namespace. */
static uint32_t own_number(int proc_fd)
{
	char target[16];
	ssize_t n = readlinkat(proc_fd, "self", target, sizeof(target) - 1);
	uint32_t pid;

	if (n <= 0)
		return 0;
	target[n] = '\0';
	return parse_u32(target, &pid) < 0 ? 0 : pid;
}

/* One that may not be sent signals is there, whatever /proc shows. */
static int not_there(const struct ktstr_ctprof_opts *opts, struct ktstr_error *err)
{
	int pid = (int)opts->pid;

	if (is_live(opts) && kill(opts->pid, 0) < 0 && errno == EPERM)
		return ktstr_error_set(
			err, -ESRCH,
			"process %d is hidden: /proc is mounted with hidepid; run as "
			"root, or in the group it names",
			pid);
	return ktstr_error_set(err, -ESRCH, "no process %d", pid);
}

static int check_is_process(int proc_fd, const struct ktstr_ctprof_opts *opts,
			    struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(1 << 20);
	int pid = (int)opts->pid;
	unsigned int tgid;
	const char *line;
	char path[32];
	int r;

	snprintf(path, sizeof(path), "%d/status", pid);
	r = io_read_file_at(proc_fd, path, &text);
	if (r == -ENOENT || r == -ESRCH)
		return not_there(opts, err);
	if (r < 0)
		return ktstr_error_set(err, r, "read status of process %d: %s", pid, strerror(-r));
	line = strstr(strbuf_str(&text), "\nTgid:");
	if (line && sscanf(line, "\nTgid: %u", &tgid) == 1 && tgid != (unsigned int)pid)
		return ktstr_error_set(err, -ESRCH, "%d is a thread of process %u; name that one",
				       pid, tgid);
	return 0;
}

static void find_cgroup_mounts(const struct ktstr_ctprof_opts *opts, struct cgroup_mounts *mounts)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	if (opts->cgroup && strlen(opts->cgroup) < sizeof(mounts->list[0].path)) {
		memcpy(mounts->list[0].path, opts->cgroup, strlen(opts->cgroup) + 1);
		memcpy(mounts->list[0].root, "/", 2);
		mounts->nr = 1;
	} else if (is_live(opts) && io_read_file("/proc/self/mountinfo", &text, NULL) == 0) {
		cgroup_find_mounts((struct span){ strbuf_str(&text), text.len }, mounts);
	}
}

int collect_host(const struct collect *c)
{
	const char *sys = c->opts->sys ? c->opts->sys : c->live ? "/sys" : NULL;
	_cleanup_close_ int sys_fd = sys ? open(sys, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

	return host_read(c->builder, c->proc_fd, sys_fd, c->live);
}

static int set_kernel(struct builder *b)
{
	struct utsname uts;

	if (uname(&uts) < 0)
		return 0;
	b->head.kernel = builder_intern(b, uts.release, sizeof(uts.release));
	return b->head.kernel ? 0 : -ENOMEM;
}

/* What follows is the same whoever filled the records. */
static int common_steps(struct collect *c)
{
	struct builder *b = c->builder;
	int r;

	collect_apply_filters(c);
	r = builder_sort(b);
	if (r == 0)
		r = collect_jemalloc(c);
	if (r == 0)
		r = collect_smaps(c);
	if (r == 0)
		r = walk_cgroups(b, c->cgroup_mounts, c->opts->jobs);
	return r < 0 || c->host_known ? r : collect_host(c);
}

/* Process 1 is always there: where /proc does not list it, others are not listed either. */
static bool hides_processes(const struct collect *c)
{
	return c->live && !c->opts->pid && !strcmp(c->builder->head.collector, "procfs") &&
	       faccessat(c->proc_fd, "1", F_OK, 0) < 0 && errno == ENOENT;
}

static int run_job(struct job *job)
{
	_cleanup_builder_ struct builder b = { 0 };
	const char *proc = job->opts->proc ? job->opts->proc : "/proc";
	_cleanup_close_ int proc_fd = open(proc, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct collect c = {
		.opts = job->opts, .builder = &b, .proc_fd = proc_fd, .live = is_live(job->opts)
	};
	uint64_t start = clock_mono_ns();
	_cleanup_free_ struct cgroup_mounts *mounts = calloc(1, sizeof(*mounts));
	int r;

	if (!mounts)
		return ktstr_error_nomem(job->err);
	if (proc_fd < 0)
		return ktstr_error_set(job->err, -errno, "open '%s': %s", proc, strerror(errno));
	if (job->opts->pid) {
		r = check_is_process(proc_fd, job->opts, job->err);
		if (r < 0)
			return r;
	}
	find_cgroup_mounts(job->opts, mounts);
	c.cgroup_mounts = mounts;
	c.self = own_number(proc_fd);
	c.foreign = c.self != (uint32_t)getpid();
	b.head.captured_at_unix_ns = clock_real_ns();
	r = collect_threads(&c, job->err);
	if (r < 0)
		return r;
	if (common_steps(&c) < 0 || (c.live && set_kernel(&b) < 0))
		return ktstr_error_nomem(job->err);
	b.head.summary.hidden = hides_processes(&c);
	b.head.duration_ns = clock_mono_ns() - start;
	job->snapshot = builder_finish(&b);
	return job->snapshot ? 0 : ktstr_error_nomem(job->err);
}

static void *job_thread(void *arg)
{
	struct job *job = arg;

	job->result = run_job(job);
	return NULL;
}

/* A thread of its own does the tracing: with its end the kernel lets every tracee go, even one
 * that never reached its stop. */
static int run_in_thread(struct job *job)
{
	sigset_t all, old;
	pthread_t thread;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&thread, NULL, job_thread, job);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r)
		return ktstr_error_set(job->err, -r, "start a thread for the capture: %s",
				       strerror(r));
	pthread_join(thread, NULL);
	return job->result;
}

int ktstr_ctprof_capture(const struct ktstr_ctprof_opts *opts, struct ktstr_ctprof **ret_snapshot,
			 struct ktstr_error *err)
{
	static const struct ktstr_ctprof_opts defaults;
	struct job job = { .opts = opts ? opts : &defaults, .err = err };
	int r;

	if (job.opts->pid < 0)
		return ktstr_error_set(err, -ESRCH, "no process %d", (int)job.opts->pid);
	if (is_live(job.opts) && !job.opts->no_jemalloc)
		r = run_in_thread(&job);
	else
		r = run_job(&job);
	if (r < 0)
		return r;
	*ret_snapshot = job.snapshot;
	return 0;
}
