// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Captures while threads and processes come and go by the thousand a second, and captures killed.
 *
 * usage: test_ctprof_storm [SECONDS]	(of each collector; 2 if not given)
 */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "tests/lib/payloads.h"
#include "tests/lib/process.h"
#include <ktstr/ctprof.h>

#ifdef __SANITIZE_ADDRESS__
#define ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ADDRESS_SANITIZER 1
#endif
#endif
#ifndef ADDRESS_SANITIZER
#define ADDRESS_SANITIZER 0
#endif

enum { NR_STORMS = 3, WARM_UP = 5, GROWTH_MAX_KIB = 16 << 10, CROWD = 200, KILLS = 50 };

static const char *const kinds[NR_STORMS] = { "threads", "forks", "execs" };
static uint64_t storm_ns = 2 * NSEC_PER_SEC;
static struct ktstr_error err;

static void start_storm(const char *kind, struct child *storm)
{
	_cleanup_free_ char *path = payload_path("jemalloc-storm");
	const char *argv[] = { path, kind, NULL };

	if (child_start(
		    &(struct child_opts){
			    .argv = argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1 },
		    storm, &err) < 0)
		fail_msg("%s", err.text);
}

static void start_storms(struct child *storms)
{
	for (int i = 0; i < NR_STORMS; i++)
		start_storm(kinds[i], &storms[i]);
}

static uint64_t status_number(const char *key)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	unsigned long long value = 0;
	const char *line;

	assert_int_equal(io_read_file("/proc/self/status", &text, &err), 0);
	line = strstr(strbuf_str(&text), key);
	assert_non_null(line);
	assert_int_equal(sscanf(line + strlen(key), "%llu", &value), 1);
	return value;
}

static void check_snapshot(const struct ktstr_ctprof *snap, const struct child *storms)
{
	const struct ktstr_ctprof_thread *last = NULL;

	for (size_t i = 0; i < snap->nr_threads; i++) {
		const struct ktstr_ctprof_thread *t = &snap->threads[i];

		if (last)
			assert_true(last->tgid < t->tgid ||
				    (last->tgid == t->tgid && last->tid < t->tid));
		last = t;
	}
	/* Their leaders are replaced, stopped and let go, but never away. */
	for (int i = 0; i < NR_STORMS; i++) {
		uint32_t pid = (uint32_t)storms[i].pid;
		const struct ktstr_ctprof_thread *t = ktstr_ctprof_find(snap, pid, pid);

		if (!t)
			fail_msg("the leader of the storm of %s is not among %zu threads", kinds[i],
				 snap->nr_threads);
		assert_non_null(t->texts[KTSTR_CTPROF_TEXT_COMM]);
	}
}

/* Nothing is traced by us or stopped; threads of a storm are only ever asleep or running. */
static void check_let_go(const struct child *storm)
{
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", storm->pid);
	dir = opendir(path);
	assert_non_null(dir);
	for (struct dirent *de; (de = readdir(dir));) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
		char name[400];

		if (*de->d_name == '.')
			continue;
		do {
			snprintf(name, sizeof(name), "%s/%s/status", path, de->d_name);
			if (io_read_file(name, &text, NULL) < 0)
				break;
			/* On its way from the stop. */
		} while (strstr(strbuf_str(&text), "\nState:\tt"));
		assert_null(strstr(strbuf_str(&text), "\nState:\tT"));
	}
	closedir(dir);
}

static int capture(enum ktstr_ctprof_collector collector, unsigned int jobs,
		   struct ktstr_ctprof **ret_snap)
{
	const struct ktstr_ctprof_opts opts = { .collector = collector, .jobs = jobs };
	int r = ktstr_ctprof_capture(&opts, ret_snap, &err);

	if (r < 0 && r != -EOPNOTSUPP)
		fail_msg("%s", err.text);
	return r;
}

static void weather_storms(enum ktstr_ctprof_collector collector)
{
	struct child storms[NR_STORMS] = { CHILD_INIT, CHILD_INIT, CHILD_INIT };
	uint64_t end = clock_mono_ns() + storm_ns, rss_kib = 0, threads = 0, stops = 0;
	unsigned int files = 0, nr = 0;

	start_storms(storms);
	for (; clock_mono_ns() < end || nr <= WARM_UP; nr++) {
		_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;

		if (capture(collector, 1 + nr % 3, &snap) < 0) {
			print_message("needs: %s\n", err.text);
			break;
		}
		check_snapshot(snap, storms);
		threads += snap->summary.threads_walked;
		stops += snap->summary.stops;
		/* What is kept from capture to capture is there by now. */
		if (nr == WARM_UP) {
			rss_kib = status_number("VmRSS:");
			files = process_count_files();
		}
	}
	if (nr) {
		assert_int_equal(process_count_files(), files);
		assert_int_equal(status_number("Threads:"), 1);
		/* That sanitizer keeps what was freed, and finds leaks itself. */
		if (!ADDRESS_SANITIZER)
			assert_true(status_number("VmRSS:") < rss_kib + GROWTH_MAX_KIB);
	}
	for (int i = 0; i < NR_STORMS; i++) {
		check_let_go(&storms[i]);
		assert_int_equal(child_poll(&storms[i]), 0);
		child_deinit(&storms[i]);
	}
	if (!nr)
		skip();
	print_message("%u captures, %llu threads, %llu stops\n", nr, (unsigned long long)threads,
		      (unsigned long long)stops);
}

/* Is it held by a thread of @tracer? */
static bool is_held(const char *status, pid_t tracer)
{
	const char *line = strstr(status, "\nTracerPid:");
	unsigned int tid = 0;
	char path[64];

	if (!line || sscanf(line, "\nTracerPid: %u", &tid) != 1 || !tid)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/task/%u", tracer, tid);
	return access(path, F_OK) == 0;
}

/* Threads of @pid, and those of them that @tracer holds. */
static unsigned int count_threads(pid_t pid, pid_t tracer, unsigned int *ret_held)
{
	unsigned int nr = 0;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	assert_non_null(dir);
	*ret_held = 0;
	for (struct dirent *de; (de = readdir(dir));) {
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
		char name[400];

		snprintf(name, sizeof(name), "%s/%s/status", path, de->d_name);
		if (*de->d_name == '.' || io_read_file(name, &text, NULL) < 0)
			continue;
		nr++;
		*ret_held += is_held(strbuf_str(&text), tracer);
	}
	closedir(dir);
	return nr;
}

static int capture_one(enum ktstr_ctprof_collector collector, pid_t pid,
		       struct ktstr_ctprof **ret_snap)
{
	const struct ktstr_ctprof_opts opts = { .collector = collector, .pid = pid };

	return ktstr_ctprof_capture(&opts, ret_snap, &err);
}

/* How long a capture of the crowd takes; 0: this collector cannot, or may not stop threads. */
static uint64_t time_capture(enum ktstr_ctprof_collector collector, pid_t pid)
{
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;
	uint64_t start_ns;
	unsigned int held;

	while (count_threads(pid, 0, &held) <= CROWD)
		assert_int_equal(kill(pid, 0), 0);
	start_ns = clock_mono_ns();
	if (capture_one(collector, pid, &snap) < 0) {
		print_message("needs: %s\n", err.text);
		return 0;
	}
	if (collector == KTSTR_COLLECTOR_PROCFS && !snap->summary.stops) {
		print_message("needs ptrace: run as root, or sysctl kernel.yama.ptrace_scope=0\n");
		return 0;
	}
	return clock_mono_ns() - start_ns;
}

static pid_t start_capturing(enum ktstr_ctprof_collector collector, const pid_t *targets)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	for (unsigned int i = 0;; i++) {
		_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;

		if (capture_one(collector, targets[i % 2], &snap) < 0)
			_exit(1);
	}
}

/* Half of them are looked at before, so that it is known that some had a thread in hand. */
static bool end_capturing(pid_t pid, pid_t crowd, bool look)
{
	unsigned int held = 0;
	int status;

	if (look) {
		kill(pid, SIGSTOP);
		assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
		assert_true(WIFSTOPPED(status));
		count_threads(crowd, pid, &held);
	}
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	return held > 0;
}

static void kill_captures(enum ktstr_ctprof_collector collector)
{
	_cleanup_child_ struct child crowd = CHILD_INIT, churn = CHILD_INIT;
	unsigned int seed = 1, caught = 0;
	uint64_t whole_ns;

	start_storm("crowd", &crowd);
	start_storm("threads", &churn);
	whole_ns = time_capture(collector, crowd.pid);
	for (int i = 0; i < KILLS && whole_ns; i++) {
		pid_t pid = start_capturing(collector, (pid_t[]){ crowd.pid, churn.pid });
		uint64_t wait_ns;

		seed = seed * 1103515245 + 12345;
		wait_ns = whole_ns * (seed >> 16) / (UINT32_MAX >> 17);
		nanosleep(&(struct timespec){ .tv_sec = (time_t)(wait_ns / NSEC_PER_SEC),
					      .tv_nsec = (long)(wait_ns % NSEC_PER_SEC) },
			  NULL);
		caught += end_capturing(pid, crowd.pid, i % 2);
		check_let_go(&crowd);
		check_let_go(&churn);
	}
	assert_int_equal(child_poll(&crowd), 0);
	assert_int_equal(child_poll(&churn), 0);
	if (!whole_ns)
		skip();
	print_message("%u of %u that were looked at held a thread\n", caught, KILLS / 2);
	if (collector == KTSTR_COLLECTOR_PROCFS)
		assert_true(caught > 0);
	else
		assert_int_equal(caught, 0);
}

static void killed_procfs_lets_all_go(void **state)
{
	(void)state;
	kill_captures(KTSTR_COLLECTOR_PROCFS);
}

static void killed_bpf_lets_all_go(void **state)
{
	(void)state;
	kill_captures(KTSTR_COLLECTOR_BPF);
}

static void procfs_weathers_storms(void **state)
{
	(void)state;
	weather_storms(KTSTR_COLLECTOR_PROCFS);
}

static void bpf_weathers_storms(void **state)
{
	(void)state;
	weather_storms(KTSTR_COLLECTOR_BPF);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(procfs_weathers_storms),
		cmocka_unit_test(bpf_weathers_storms),
		cmocka_unit_test(killed_procfs_lets_all_go),
		cmocka_unit_test(killed_bpf_lets_all_go),
	};

	if (argc > 1)
		storm_ns = strtoull(argv[1], NULL, 10) * NSEC_PER_SEC;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
