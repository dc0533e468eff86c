// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "run/interrupt.h"
#include "run/orphan.h"
#include "run/pool.h"

enum { LONG_LINE = 1000000 };

/* What the workers said, one letter of the item before each line; and how they ended. */
static struct strbuf said = STRBUF_INIT;
static struct pool_end ends[8];
static unsigned int nr_ended;
static struct pool pool;

static void put(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0)
			_exit(99);
		text += n;
		len -= (size_t)n;
	}
}

static void put_text(int fd, const char *text)
{
	put(fd, text, strlen(text));
}

static void wait_for_signal(void)
{
	struct pollfd p = { .fd = interrupt_fd(), .events = POLLIN };

	while (!interrupt_seen())
		poll(&p, 1, -1);
}

/* Each item is one kind of worker. */
static int work(void *arg, size_t item, int out_fd)
{
	static char text[LONG_LINE + 1];

	(void)arg;
	switch (item) {
	case 0:
		put_text(out_fd, "one\ntwo\ncut");
		return 7;
	case 1:
		put_text(out_fd, "ready\n");
		wait_for_signal();
		put_text(out_fd, "told\n");
		return 0;
	case 2:
		put_text(out_fd, "last words\n");
		raise(SIGKILL);
		return 0;
	case 3:
		memset(text, 'x', LONG_LINE);
		text[LONG_LINE] = '\n';
		put(out_fd, text, sizeof(text));
		return 0;
	case 4:
		put_text(out_fd, "ready\n");
		for (;;)
			pause();
	case 5:
		/* Leaves a process that has a group and a parent of its own, and dies. */
		if (fork() == 0) {
			setsid();
			if (fork() == 0) {
				char pid[24];

				snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
				put_text(out_fd, pid);
				close(out_fd);
				for (;;)
					pause();
			}
			_exit(0);
		}
		wait(NULL);
		raise(SIGKILL);
		return 0;
	default:
		memset(text, 'x', LONG_LINE);
		for (int i = 0; i < 2 * POOL_LINE_MAX / LONG_LINE; i++)
			put(out_fd, text, LONG_LINE);
		return 0;
	}
}

static void on_line(void *arg, size_t item, const char *line)
{
	(void)arg;
	if (strlen(line) == LONG_LINE)
		line = "(long)";
	strbuf_addf(&said, "%zu:%s\n", item, line);
	errno = EBADF; /* as anything that is called here may */
}

static void on_end(void *arg, size_t item, const struct pool_end *end)
{
	(void)arg;
	ends[item] = *end;
	nr_ended++;
}

static int set_up(void **state)
{
	struct ktstr_error err;

	(void)state;
	orphan_adopt();
	nr_ended = 0;
	memset(ends, 0, sizeof(ends));
	if (interrupt_catch(&err) < 0)
		return -1;
	return pool_init(&pool, 3,
			 &(struct pool_ops){ .work = work, .line = on_line, .ended = on_end });
}

static int tear_down(void **state)
{
	(void)state;
	pool_deinit(&pool);
	interrupt_release();
	strbuf_deinit(&said);
	return 0;
}

static void start(size_t item)
{
	struct ktstr_error err;

	assert_int_equal(pool_start(&pool, item, &err), 0);
}

static void wait_said(const char *text)
{
	while (!strstr(strbuf_str(&said), text))
		assert_int_equal(pool_wait(&pool, -1, UINT64_MAX), 0);
}

static void wait_ended(unsigned int nr)
{
	while (nr_ended < nr)
		assert_int_equal(pool_wait(&pool, -1, UINT64_MAX), 0);
}

static void lines_and_status_arrive(void **state)
{
	(void)state;
	start(0);
	wait_ended(1);
	assert_string_equal(strbuf_str(&said), "0:one\n0:two\n");
	assert_int_equal(ends[0].exit_code, 7);
	assert_int_equal(ends[0].signal, 0);
	assert_int_equal(pool.nr, 0);
}

static void long_lines_arrive_whole(void **state)
{
	(void)state;
	start(3);
	wait_ended(1);
	assert_string_equal(strbuf_str(&said), "3:(long)\n");
}

static void workers_run_side_by_side(void **state)
{
	struct ktstr_error err;

	(void)state;
	start(1);
	start(1);
	start(0);
	assert_int_equal(pool_start(&pool, 0, &err), -EAGAIN);
	wait_ended(1);
	assert_int_equal(pool.nr, 2);
	while (strlen(strbuf_str(&said)) < strlen("0:one\n0:two\n1:ready\n1:ready\n"))
		assert_int_equal(pool_wait(&pool, -1, UINT64_MAX), 0);
	/* The group of the pool's process is not theirs: they hear of it from the pool alone. */
	pool_signal(&pool, SIGTERM);
	wait_ended(3);
	assert_non_null(strstr(strbuf_str(&said), "1:told\n"));
	assert_int_equal(ends[1].exit_code, 0);
	assert_false(interrupt_seen());
}

static void a_killed_worker_is_told_apart(void **state)
{
	(void)state;
	start(2);
	wait_ended(1);
	assert_string_equal(strbuf_str(&said), "2:last words\n");
	assert_int_equal(ends[2].signal, SIGKILL);
	assert_false(ends[2].flooded);
}

static void what_it_leaves_behind_is_killed(void **state)
{
	pid_t pid;

	(void)state;
	start(5);
	start(4);
	wait_said("4:ready");
	wait_ended(1);
	pid = (pid_t)strtol(strstr(strbuf_str(&said), "5:") + 2, NULL, 10);
	assert_true(pid > 0);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
	/* ... and the others are left alone. */
	assert_int_equal(pool.nr, 1);
	assert_int_equal(kill(pool.workers[0].pid, 0), 0);
	pool_signal(&pool, SIGKILL);
	wait_ended(2);
	assert_int_equal(ends[4].signal, SIGKILL);
}

static void a_flood_is_ended(void **state)
{
	(void)state;
	start(6);
	wait_ended(1);
	assert_true(ends[6].flooded);
	assert_int_equal(ends[6].signal, SIGKILL);
	assert_string_equal(strbuf_str(&said), "");
}

static void the_pool_ends_what_still_runs(void **state)
{
	pid_t pid;

	(void)state;
	start(4);
	wait_said("4:ready");
	pid = pool.workers[0].pid;
	pool_deinit(&pool);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
}

static void lack_of_descriptors_is_told(void **state)
{
	struct rlimit before, none;
	struct ktstr_error err;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 4;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(pool_start(&pool, 0, &err), -EMFILE);
	assert_int_equal(pool.nr, 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	start(0);
	wait_ended(1);
}

static void another_descriptor_wakes(void **state)
{
	int fds[2];

	(void)state;
	start(4);
	wait_said("4:ready");
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "", 1), 1);
	assert_int_equal(pool_wait(&pool, fds[0], UINT64_MAX), 0);
	close(fds[0]);
	close(fds[1]);
}

/* A process with a pool of its own is killed: its workers are told, and nobody has to end them. */
static void workers_die_with_the_pool(void **state)
{
	int fds[2], status;
	pid_t owner, worker = 0;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	owner = fork();
	if (owner == 0) {
		start(1);
		wait_said("1:ready");
		worker = pool.workers[0].pid;
		put(fds[1], (const char *)&worker, sizeof(worker));
		for (;;)
			pause();
	}
	assert_int_equal(read(fds[0], &worker, sizeof(worker)), sizeof(worker));
	kill(owner, SIGKILL);
	assert_int_equal(waitpid(owner, &status, 0), owner);
	/* Adopted, so that it can be waited for. */
	assert_int_equal(waitpid(worker, &status, 0), worker);
	assert_false(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lines_and_status_arrive, set_up, tear_down),
		cmocka_unit_test_setup_teardown(long_lines_arrive_whole, set_up, tear_down),
		cmocka_unit_test_setup_teardown(workers_run_side_by_side, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_killed_worker_is_told_apart, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_it_leaves_behind_is_killed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_flood_is_ended, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_pool_ends_what_still_runs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lack_of_descriptors_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(another_descriptor_wakes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(workers_die_with_the_pool, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
