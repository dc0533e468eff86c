// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* jemalloc's counters of a process with thousands of threads: each thread's own. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "tests/lib/payloads.h"
#include "tests/lib/process.h"
#include <ktstr/ctprof.h>

/* ROUNDED: what the largest class of sizes adds, and what a thread allocates unasked. */
enum { THREADS = 3000, STEP_BYTES = 64, ROUNDED_PERCENT = 25, UNASKED_BYTES = 4096 };

static struct ktstr_error err;

static void start_crowd(struct child *crowd)
{
	_cleanup_free_ char *path = payload_path("jemalloc-crowd");
	const char *argv[] = { path, "3000", NULL };
	_cleanup_close_ int from = -1, to = -1;
	char said[8] = "";
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	from = fds[0];
	to = fds[1];
	if (child_start(
		    &(struct child_opts){
			    .argv = argv, .stdin_fd = -1, .stdout_fd = to, .stderr_fd = -1 },
		    crowd, &err) < 0)
		fail_msg("%s", err.text);
	close(to);
	to = -1;
	/* Its end would give 0 bytes. */
	assert_int_equal(read(from, said, sizeof(said) - 1), 6);
	assert_string_equal(said, "ready\n");
}

static struct ktstr_ctprof *capture(pid_t pid, enum ktstr_ctprof_collector collector)
{
	const struct ktstr_ctprof_opts opts = { .pid = pid, .collector = collector };
	struct ktstr_ctprof *snap = NULL;
	int r = ktstr_ctprof_capture(&opts, &snap, &err);

	if (r == -EOPNOTSUPP) {
		print_message("needs BPF: %s\n", err.text);
		skip();
	}
	if (r < 0)
		fail_msg("%s", err.text);
	if (snap->nr_threads && snap->threads[0].jemalloc == KTSTR_JEMALLOC_PTRACE_REFUSED &&
	    !process_may_trace()) {
		ktstr_ctprof_destroy(snap);
		print_message("needs ptrace: run as root, or sysctl kernel.yama.ptrace_scope=0\n");
		skip();
	}
	return snap;
}

/* Thread data of another thread would show another number. */
static void check_own_bytes(const struct ktstr_ctprof_thread *t, unsigned int i)
{
	int64_t asked = i % 3 ? (int64_t)STEP_BYTES * i : 0, allocated = 0;

	if (!ktstr_ctprof_get(t, KTSTR_CTPROF_ALLOCATED, &allocated))
		fail_msg("crowd-%u has no number: '%s'", i, ktstr_jemalloc_tag_name(t->jemalloc));
	if (allocated < asked || allocated > asked + asked * ROUNDED_PERCENT / 100 + UNASKED_BYTES)
		fail_msg("crowd-%u asked for %lld bytes and has %lld", i, (long long)asked,
			 (long long)allocated);
}

static void each_has_its_own(enum ktstr_ctprof_collector collector)
{
	_cleanup_child_ struct child crowd = CHILD_INIT;
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;
	static bool seen[THREADS];
	unsigned int nr = 0;

	memset(seen, 0, sizeof(seen));
	start_crowd(&crowd);
	snap = capture(crowd.pid, collector);
	assert_int_equal(snap->nr_threads, THREADS + 1);
	for (size_t k = 0; k < snap->nr_threads; k++) {
		const struct ktstr_ctprof_thread *t = &snap->threads[k];
		unsigned int i;

		if (sscanf(t->texts[KTSTR_CTPROF_TEXT_COMM], "crowd-%u", &i) != 1)
			continue;
		assert_true(i < THREADS && !seen[i]);
		seen[i] = true;
		nr++;
		check_own_bytes(t, i);
	}
	assert_int_equal(nr, THREADS);
	assert_int_equal(snap->summary.stops, collector == KTSTR_COLLECTOR_BPF ? 0 : THREADS + 1);
}

static void thousands_of_threads_by_procfs(void **state)
{
	(void)state;
	each_has_its_own(KTSTR_COLLECTOR_PROCFS);
}

static void thousands_of_threads_by_bpf(void **state)
{
	(void)state;
	each_has_its_own(KTSTR_COLLECTOR_BPF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(thousands_of_threads_by_procfs),
		cmocka_unit_test(thousands_of_threads_by_bpf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
