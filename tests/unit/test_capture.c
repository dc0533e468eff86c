// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/capture.h"
#include "base/clock.h"

enum { KEEP = 100 };

static struct capture *create(int *ret_write_fd)
{
	struct capture *c = NULL;

	assert_int_equal(capture_create(KEEP, &c, NULL), 0);
	*ret_write_fd = dup(capture_write_fd(c, CAPTURE_STDOUT));
	assert_true(*ret_write_fd >= 0);
	return c;
}

static void put(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void what_is_in_the_pipe_is_taken(void **state)
{
	struct capture_text text;
	struct capture *c;
	int fd;

	(void)state;
	c = create(&fd);
	/* Written before anybody reads, and the writer never closes. */
	put(fd, "early ");
	assert_int_equal(capture_start(c, -1, NULL), 0);
	put(fd, "late");
	capture_finish(c);
	text = capture_text(c, CAPTURE_STDOUT);
	assert_string_equal(text.text, "early late");
	assert_int_equal(text.length, 10);
	assert_int_equal(text.written, 10);
	assert_false(text.cut);
	assert_string_equal(capture_text(c, CAPTURE_STDERR).text, "");
	assert_int_equal(capture_exit_ns(c), 0);
	capture_destroy(c);
	close(fd);
}

static void one_byte_too_many_is_cut(void **state)
{
	char line[KEEP + 2];
	struct capture_text text;
	struct capture *c;
	int fd;

	(void)state;
	memset(line, 'x', KEEP + 1);
	line[0] = 'A';
	line[KEEP / 2] = 'B';
	line[KEEP] = 'C';
	line[KEEP + 1] = '\0';
	c = create(&fd);
	assert_int_equal(capture_start(c, -1, NULL), 0);
	put(fd, line);
	capture_finish(c);
	text = capture_text(c, CAPTURE_STDOUT);
	assert_true(text.cut);
	assert_int_equal(text.written, KEEP + 1);
	assert_int_equal(text.text[0], 'A');
	assert_null(strchr(text.text, 'B'));
	assert_int_equal(text.text[text.length - 1], 'C');
	assert_non_null(strstr(text.text, "\n[1 bytes left out]\n"));
	capture_destroy(c);
	close(fd);
}

static void last_line_is_there_while_it_runs(void **state)
{
	char line[32] = "";
	struct capture *c;
	int fd;

	(void)state;
	c = create(&fd);
	capture_last_line(c, CAPTURE_STDOUT, line, sizeof(line));
	assert_string_equal(line, "");
	assert_int_equal(capture_start(c, -1, NULL), 0);
	put(fd, "one\ntwo\n\n");
	while (strcmp(line, "two") != 0) {
		sched_yield();
		capture_last_line(c, CAPTURE_STDOUT, line, sizeof(line));
	}
	capture_destroy(c);
	close(fd);
}

static void exit_is_seen_though_nobody_asks(void **state)
{
	uint64_t before = clock_mono_ns();
	struct capture *c;
	int fd, pidfd;
	pid_t pid;

	(void)state;
	c = create(&fd);
	close(fd);
	pid = fork();
	if (pid == 0)
		_exit(0);
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	assert_true(pidfd >= 0);
	assert_int_equal(capture_start(c, pidfd, NULL), 0);
	while (!capture_exit_ns(c))
		sched_yield();
	assert_true(capture_exit_ns(c) >= before);
	assert_true(capture_exit_ns(c) <= clock_mono_ns());
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	capture_destroy(c);
	close(pidfd);
}

static void unused_ones_can_be_dropped(void **state)
{
	struct capture *c;
	int fd;

	(void)state;
	c = create(&fd);
	capture_destroy(c);
	close(fd);
	capture_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_in_the_pipe_is_taken),
		cmocka_unit_test(one_byte_too_many_is_cut),
		cmocka_unit_test(last_line_is_there_while_it_runs),
		cmocka_unit_test(exit_is_seen_though_nobody_asks),
		cmocka_unit_test(unused_ones_can_be_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
