// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/child.h"
#include "base/clock.h"

#define SHELL(script) ((const char *const[]){ "/bin/sh", "-c", script, NULL })
#define QUIET	      .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1

static void exit_code_and_signal_are_apart(void **state)
{
	_cleanup_child_ struct child a = CHILD_INIT;
	_cleanup_child_ struct child b = CHILD_INIT;

	(void)state;
	assert_int_equal(
		child_start(&(struct child_opts){ .argv = SHELL("exit 7"), QUIET }, &a, NULL), 0);
	assert_int_equal(child_wait(&a, UINT64_MAX), 0);
	assert_int_equal(a.exit_code, 7);
	assert_int_equal(a.signal, 0);
	assert_int_equal(
		child_start(&(struct child_opts){ .argv = SHELL("kill -9 $$"), QUIET }, &b, NULL),
		0);
	assert_int_equal(child_wait(&b, UINT64_MAX), 0);
	assert_int_equal(b.signal, SIGKILL);
}

static void failed_exec_is_reported(void **state)
{
	const char *const argv[] = { "/no/such/program", NULL };
	struct child child = CHILD_INIT;
	struct ktstr_error err = { 0 };

	(void)state;
	assert_int_equal(child_start(&(struct child_opts){ .argv = argv, QUIET }, &child, &err),
			 -ENOENT);
	assert_non_null(strstr(err.text, "/no/such/program"));
	assert_int_equal(child.pid, 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void output_is_captured(void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
	_cleanup_strbuf_ struct strbuf err_text = STRBUF_INIT;

	(void)state;
	assert_int_equal(child_run(SHELL("echo out; echo err >&2; exit 3"), UINT64_MAX, &out,
				   &err_text, NULL),
			 3);
	assert_string_equal(strbuf_str(&out), "out\n");
	assert_string_equal(strbuf_str(&err_text), "err\n");
	strbuf_clear(&out);
	assert_int_equal(child_run(SHELL("echo err >&2"), UINT64_MAX, &out, NULL, NULL), 0);
	assert_string_equal(strbuf_str(&out), "err\n");
}

static void timeout_kills_the_whole_group(void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
	struct ktstr_error err = { 0 };
	int grandchild;

	(void)state;
	assert_int_equal(child_run(SHELL("sleep 1000 & echo $!; wait"), 300 * NSEC_PER_MSEC, &out,
				   NULL, &err),
			 -ETIMEDOUT);
	assert_non_null(strstr(err.text, "300 ms"));
	grandchild = (int)strtol(strbuf_str(&out), NULL, 10);
	assert_true(grandchild > 1);
	while (kill(grandchild, 0) == 0) /* a reaper outside takes it, some time after the signal */
		poll(NULL, 0, 1);
	assert_int_equal(errno, ESRCH);
}

static void too_much_output_is_an_error(void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT_LIMIT(1000);

	(void)state;
	assert_int_equal(child_run(SHELL("yes"), UINT64_MAX, &out, NULL, NULL), -E2BIG);
}

/* The middle process starts a child and is killed; the child must go too. */
static void child_dies_with_its_parent(void **state)
{
	int fds[2];
	pid_t middle, inner = 0;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	middle = fork();
	if (middle == 0) {
		struct child child = CHILD_INIT;

		if (child_start(&(struct child_opts){ .argv = SHELL("exec sleep 1000"), QUIET },
				&child, NULL) < 0)
			_exit(1);
		if (write(fds[1], &child.pid, sizeof(child.pid)) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(fds[0], &inner, sizeof(inner)), sizeof(inner));
	assert_int_equal(kill(inner, 0), 0);
	assert_int_equal(kill(middle, SIGKILL), 0);
	assert_int_equal(waitpid(middle, NULL, 0), middle);
	while (kill(inner, 0) == 0)
		poll(NULL, 0, 1);
	assert_int_equal(errno, ESRCH);
	close(fds[0]);
	close(fds[1]);
}

static void descriptors_do_not_leak_into_children(void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;

	(void)state;
	/* ls itself holds 3, its folder. */
	assert_int_equal(child_run(SHELL("ls /proc/self/fd | wc -l"), UINT64_MAX, &out, NULL, NULL),
			 0);
	assert_string_equal(strbuf_str(&out), "4\n");
}

static void foreign_code_gets_no_rights(void **state)
{
	static const char script[] =
		"[ $(id -u) != 0 ] || exit 1; grep -q '^NoNewPrivs:.1' /proc/self/status || exit 2; "
		"grep -q '^CapEff:.0*$' /proc/self/status || exit 3; [ $(ulimit -f) = 0 ] || exit 4; "
		"[ $(ulimit -t) = 2 ] || exit 5; exit 42";
	_cleanup_child_ struct child child = CHILD_INIT;

	(void)state;
	assert_int_equal(
		child_start(
			&(struct child_opts){ .argv = SHELL(script), QUIET, .unprivileged = true },
			&child, NULL),
		0);
	assert_int_equal(child_wait(&child, UINT64_MAX), 0);
	assert_int_equal(child.exit_code, 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exit_code_and_signal_are_apart),
		cmocka_unit_test(failed_exec_is_reported),
		cmocka_unit_test(output_is_captured),
		cmocka_unit_test(timeout_kills_the_whole_group),
		cmocka_unit_test(too_much_output_is_an_error),
		cmocka_unit_test(child_dies_with_its_parent),
		cmocka_unit_test(descriptors_do_not_leak_into_children),
		cmocka_unit_test(foreign_code_gets_no_rights),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
