// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Threads whose process is reached by the number of one that ends: living ones are never "gone". */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "ctprof/collect.h"
#include "tests/lib/payloads.h"

enum { LEADER_AFTER = 20000, THREADS_AFTER = 1000, CAPTURES = 500, BYTES = 1 << 20 };
/* What a child says instead of what went wrong. */
enum { FINE, NEEDS_ROOT = 100, NEEDS_BPF };

static int capture(pid_t pid, enum ktstr_ctprof_collector collector, struct ktstr_ctprof **ret_snap)
{
	const struct ktstr_ctprof_opts opts = { .pid = pid, .collector = collector };
	struct ktstr_error err;
	int r = ktstr_ctprof_capture(&opts, ret_snap, &err);

	if (r == -EOPNOTSUPP)
		return NEEDS_BPF;
	if (r < 0)
		fprintf(stderr, "%s\n", err.text);
	return r < 0 ? 1 : FINE;
}

/* The next process or thread of this pid namespace gets a number above @last. */
static int number_from(unsigned int last)
{
	int fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
	int r = fd < 0 || dprintf(fd, "%u", last) < 0 ? NEEDS_ROOT : FINE;

	if (fd >= 0)
		close(fd);
	return r;
}

static int start_worker(const char *marker, bool churns, struct child *child)
{
	_cleanup_free_ char *path = payload_path("ktstr-jemalloc-alloc-worker");
	const char *const churning[] = { path, "--churn", "1048576", NULL };
	const char *const argv[] = { path, "1048576", NULL };
	const char *const env[] = { marker, NULL };
	const char *file = strchr(marker, '=') + 1;
	struct ktstr_error err;

	unlink(file);
	if (child_start(&(struct child_opts){ .argv = churns ? churning : argv,
					      .env = env,
					      .stdin_fd = -1,
					      .stdout_fd = -1,
					      .stderr_fd = -1 },
			child, &err) < 0)
		return 2;
	while (access(file, F_OK) < 0) {
		if (child_poll(child) != 0)
			return 3;
		sched_yield();
	}
	unlink(file);
	return FINE;
}

static int check_leader(pid_t pid)
{
	for (int i = 0; i < CAPTURES; i++) {
		_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;
		const struct ktstr_ctprof_thread *t;
		int64_t bytes;
		int r = capture(pid, KTSTR_COLLECTOR_BPF, &snap);

		if (r != FINE)
			return r;
		t = ktstr_ctprof_find(snap, (uint32_t)pid, (uint32_t)pid);
		if (!t)
			return 5;
		/* In the middle of an update there is no number; never a wrong one. */
		if (ktstr_ctprof_get(t, KTSTR_CTPROF_ALLOCATED, &bytes)) {
			if (bytes < BYTES)
				return 6;
		} else if (t->jemalloc != KTSTR_JEMALLOC_IMPLAUSIBLE) {
			fprintf(stderr, "capture %d: leader %d is '%s'\n", i, pid,
				ktstr_jemalloc_tag_name(t->jemalloc));
			return 7;
		}
	}
	return FINE;
}

/* As the first process of a pid namespace of its own, where nobody else is given numbers. */
static int be_apart(const char *marker)
{
	_cleanup_child_ struct child child = CHILD_INIT;
	int r;

	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("proc", "/proc", "proc", 0, NULL) < 0)
		return NEEDS_ROOT;
	r = number_from(LEADER_AFTER);
	if (r == FINE)
		r = start_worker(marker, true, &child);
	if (r == FINE && child.pid <= LEADER_AFTER)
		r = 4;
	if (r == FINE)
		r = number_from(THREADS_AFTER);
	return r == FINE ? check_leader(child.pid) : r;
}

static int run_apart(void)
{
	char marker[96];
	int status;
	pid_t pid;

	snprintf(marker, sizeof(marker), "KTSTR_WORKER_READY_MARKER_OVERRIDE=/tmp/ktstr-low-%d",
		 getpid());
	if (unshare(CLONE_NEWPID | CLONE_NEWNS) < 0)
		return NEEDS_ROOT;
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(be_apart(marker));
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 8;
}

/* Numbers wrap around, so threads that come and go may stand before their leader. */
static void threads_before_the_leader_cost_it_nothing(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(run_apart());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == NEEDS_ROOT || WEXITSTATUS(status) == NEEDS_BPF) {
		print_message("needs pid namespaces and BPF: run as root\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), FINE);
}

static void *live_on(void *tell)
{
	if (write((int)(intptr_t)tell, "", 1) == 1)
		for (;;)
			pause();
	return NULL;
}

/* A process whose leader has ended and one thread has not. */
static pid_t start_headless(void)
{
	int fds[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		pthread_t thread;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (pthread_create(&thread, NULL, live_on, (void *)(intptr_t)fds[1]))
			_exit(1);
		pthread_exit(NULL);
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &byte, 1), 1);
	close(fds[0]);
	return pid;
}

static bool is_zombie(pid_t pid)
{
	char path[64], text[512];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	assert_true(n > 0);
	text[n] = '\0';
	return strstr(text, ") Z ") != NULL;
}

static void check_headless(pid_t pid, enum ktstr_ctprof_collector collector)
{
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;
	int r = capture(pid, collector, &snap);

	if (r == NEEDS_BPF) {
		print_message("needs BPF: run as root\n");
		return;
	}
	assert_int_equal(r, FINE);
	assert_int_equal(snap->nr_threads, 2);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(snap->threads[i].jemalloc, snap->threads[i].tid == (uint32_t)pid
								    ? KTSTR_JEMALLOC_THREAD_GONE
								    : KTSTR_JEMALLOC_NOT_FOUND);
}

static void threads_may_outlive_their_leader(void **state)
{
	pid_t pid = start_headless();

	(void)state;
	while (!is_zombie(pid))
		sched_yield();
	check_headless(pid, KTSTR_COLLECTOR_PROCFS);
	check_headless(pid, KTSTR_COLLECTOR_BPF);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* The record of @t, as if its thread had been born @later ticks later. */
static enum ktstr_jemalloc_tag read_record(const struct ktstr_ctprof_thread *t, int64_t later)
{
	const struct ktstr_ctprof_opts opts = { .collector = KTSTR_COLLECTOR_PROCFS };
	_cleanup_builder_ struct builder b = { 0 };
	struct ktstr_ctprof_thread *record = builder_add_thread(&b);
	struct collect c = { .opts = &opts, .builder = &b, .live = true };
	int64_t bytes;

	assert_non_null(record);
	record->tgid = t->tgid;
	record->tid = t->tid;
	thread_set(record, KTSTR_CTPROF_START_TIME,
		   ktstr_ctprof_get_or_zero(t, KTSTR_CTPROF_START_TIME) + later);
	assert_int_equal(collect_jemalloc(&c), 0);
	record = &b.threads[0];
	assert_int_equal(ktstr_ctprof_get(record, KTSTR_CTPROF_ALLOCATED, &bytes),
			 record->jemalloc == KTSTR_JEMALLOC_OK);
	return record->jemalloc;
}

/* Its number may have been given to another thread between its record and its stop. */
static void a_later_thread_is_not_taken_for_it(void **state)
{
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;
	_cleanup_child_ struct child child = CHILD_INIT;
	const struct ktstr_ctprof_thread *leader;
	enum ktstr_jemalloc_tag tag;
	char marker[96];

	(void)state;
	snprintf(marker, sizeof(marker), "KTSTR_WORKER_READY_MARKER_OVERRIDE=/tmp/ktstr-later-%d",
		 getpid());
	assert_int_equal(start_worker(marker, false, &child), FINE);
	assert_int_equal(capture(child.pid, KTSTR_COLLECTOR_PROCFS, &snap), FINE);
	leader = ktstr_ctprof_find(snap, (uint32_t)child.pid, (uint32_t)child.pid);
	assert_non_null(leader);
	tag = read_record(leader, 0);
	if (tag == KTSTR_JEMALLOC_PTRACE_REFUSED) {
		print_message("needs the right to trace: run as root\n");
		skip();
	}
	assert_int_equal(tag, KTSTR_JEMALLOC_OK);
	assert_int_equal(read_record(leader, 1), KTSTR_JEMALLOC_THREAD_GONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_before_the_leader_cost_it_nothing),
		cmocka_unit_test(threads_may_outlive_their_leader),
		cmocka_unit_test(a_later_thread_is_not_taken_for_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
