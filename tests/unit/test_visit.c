// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* What is read of this machine by shortcuts, against what its files say. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <ktstr/ctprof.h>

enum { NR_THREADS = 5 };

static struct ktstr_error err;

static void *wait_for_ever(void *arg)
{
	while (pause() < 0)
		;
	return arg;
}

static void *pinned(void *arg)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	if (sched_setaffinity(0, sizeof(set), &set) == 0)
		prctl(PR_SET_NAME, "pinned");
	return wait_for_ever(arg);
}

static _Noreturn void be_idle(int fd)
{
	pthread_t thread;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 1; i < NR_THREADS; i++)
		if (pthread_create(&thread, NULL, i == 1 ? pinned : wait_for_ever, NULL))
			_exit(1);
	if (write(fd, "", 1) == 1)
		wait_for_ever(NULL);
	_exit(1);
}

static pid_t start_idle(void)
{
	int fds[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0)
		be_idle(fds[1]);
	close(fds[1]);
	assert_int_equal(read(fds[0], &c, 1), 1);
	close(fds[0]);
	return pid;
}

static struct ktstr_ctprof *capture(pid_t pid, const char *proc)
{
	const struct ktstr_ctprof_opts opts = {
		.proc = proc, .pid = pid, .no_jemalloc = true, .collector = KTSTR_COLLECTOR_PROCFS
	};
	struct ktstr_ctprof *snap = NULL;

	if (ktstr_ctprof_capture(&opts, &snap, &err) < 0)
		fail_msg("%s", err.text);
	return snap;
}

static bool is_same(const struct ktstr_ctprof_thread *a, const struct ktstr_ctprof_thread *b)
{
	for (unsigned int m = 0; m < KTSTR_CTPROF_CPU_DELAY_COUNT; m++) {
		int64_t x = -1, y = -1;
		bool in_a = ktstr_ctprof_get(a, m, &x), in_b = ktstr_ctprof_get(b, m, &y);

		if (in_a != in_b || x != y)
			return false;
	}
	for (unsigned int i = 0; i < KTSTR_CTPROF_NR_TEXTS; i++)
		if (!a->texts[i] != !b->texts[i] ||
		    (a->texts[i] && strcmp(a->texts[i], b->texts[i])))
			return false;
	return true;
}

/* "/proc/." is the same folder, but not taken for this machine's own. */
static bool is_same_both_ways(pid_t pid)
{
	_cleanup_ctprof_ struct ktstr_ctprof *quick = capture(pid, NULL);
	_cleanup_ctprof_ struct ktstr_ctprof *files = capture(pid, "/proc/.");

	assert_int_equal(quick->nr_threads, NR_THREADS);
	assert_int_equal(files->nr_threads, NR_THREADS);
	for (size_t i = 0; i < NR_THREADS; i++)
		if (!is_same(&quick->threads[i], &files->threads[i]))
			return false;
	return true;
}

static void shortcuts_say_what_files_say(void **state)
{
	pid_t pid = start_idle();

	(void)state;
	/* Threads go to sleep soon; until then their counters move. */
	while (!is_same_both_ways(pid))
		;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void a_pinned_thread_shows_its_cpu(void **state)
{
	pid_t pid = start_idle();
	size_t nr_pinned = 0;

	(void)state;
	while (!nr_pinned) {
		_cleanup_ctprof_ struct ktstr_ctprof *snap = capture(pid, NULL);

		for (size_t i = 0; i < snap->nr_threads; i++) {
			const char *const *texts = snap->threads[i].texts;

			if (strcmp(texts[KTSTR_CTPROF_TEXT_COMM], "pinned"))
				continue;
			nr_pinned++;
			assert_string_equal(texts[KTSTR_CTPROF_TEXT_CPU_AFFINITY], "0");
		}
	}
	assert_int_equal(nr_pinned, 1);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void delays_come_by_netlink_or_not(void **state)
{
	_cleanup_ctprof_ struct ktstr_ctprof *snap = capture(getpid(), NULL);
	const struct ktstr_ctprof_thread *t =
		ktstr_ctprof_find(snap, (uint32_t)getpid(), (uint32_t)getpid());
	const uint64_t *why = snap->summary.failures[KTSTR_CTPROF_FILE_TASKSTATS];
	int64_t wait, delay;

	(void)state;
	assert_non_null(t);
	if (why[KTSTR_CTPROF_REASON_PERMISSION] || why[KTSTR_CTPROF_REASON_MISSING]) {
		assert_false(ktstr_ctprof_get(t, KTSTR_CTPROF_CPU_DELAY_TOTAL, &delay));
		print_message("needs CAP_NET_ADMIN and CONFIG_TASKSTATS\n");
		skip();
	}
	assert_true(ktstr_ctprof_get(t, KTSTR_CTPROF_CPU_DELAY_TOTAL, &delay));
	assert_true(ktstr_ctprof_get(t, KTSTR_CTPROF_WAIT_TIME, &wait));
	assert_int_equal(delay, wait);
	assert_true(ktstr_ctprof_get_or_zero(t, KTSTR_CTPROF_RUN_TIME) > 0);
	assert_true(snap->filled_by[KTSTR_CTPROF_CPU_DELAY_TOTAL] & 1 << KTSTR_FILLER_TASKSTATS);
}

static void leaders_have_their_memory(void **state)
{
	pid_t pid = start_idle();
	_cleanup_ctprof_ struct ktstr_ctprof *snap = capture(pid, NULL);
	int64_t rss = 0, pss = 0;

	(void)state;
	for (size_t i = 0; i < snap->nr_threads; i++) {
		const struct ktstr_ctprof_thread *t = &snap->threads[i];
		bool there = ktstr_ctprof_get(t, KTSTR_CTPROF_SMAPS_RSS, &rss);

		if (t->tid == t->tgid && !there &&
		    snap->summary.failures[KTSTR_CTPROF_FILE_SMAPS_ROLLUP]
					  [KTSTR_CTPROF_REASON_MISSING]) {
			print_message("needs CONFIG_PROC_PAGE_MONITOR\n");
			skip();
		}
		assert_int_equal(there, t->tid == t->tgid);
		if (there)
			assert_true(ktstr_ctprof_get(t, KTSTR_CTPROF_SMAPS_PSS, &pss));
	}
	assert_in_range(pss, 1, rss);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void readers_do_not_change_the_order(void **state)
{
	struct ktstr_ctprof_opts opts = { .no_jemalloc = true,
					  .no_smaps = true,
					  .collector = KTSTR_COLLECTOR_PROCFS };

	(void)state;
	for (unsigned int jobs = 1; jobs < 5; jobs++) {
		_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;

		opts.jobs = jobs;
		assert_int_equal(ktstr_ctprof_capture(&opts, &snap, &err), 0);
		assert_true(snap->nr_threads >= 2);
		assert_true(snap->summary.processes <= snap->summary.threads_walked);
		assert_int_equal(snap->nr_threads + snap->summary.ghosts,
				 snap->summary.threads_walked);
		for (size_t i = 1; i < snap->nr_threads; i++) {
			const struct ktstr_ctprof_thread *a = &snap->threads[i - 1], *b = a + 1;

			assert_true(a->tgid < b->tgid || (a->tgid == b->tgid && a->tid < b->tid));
		}
		assert_non_null(ktstr_ctprof_find(snap, (uint32_t)getpid(), (uint32_t)getpid()));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shortcuts_say_what_files_say),
		cmocka_unit_test(a_pinned_thread_shows_its_cpu),
		cmocka_unit_test(delays_come_by_netlink_or_not),
		cmocka_unit_test(leaders_have_their_memory),
		cmocka_unit_test(readers_do_not_change_the_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
