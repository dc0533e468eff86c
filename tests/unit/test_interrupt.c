// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <poll.h>
#include <signal.h>

#include <cmocka.h>

#include "run/interrupt.h"

static bool readable(void)
{
	struct pollfd p = { .fd = interrupt_fd(), .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void a_signal_is_seen_and_stays_seen(void **state)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct ktstr_error err;

	(void)state;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		assert_int_equal(interrupt_catch(&err), 0);
		assert_false(interrupt_seen());
		assert_false(readable());
		raise(signals[i]);
		raise(signals[i]);
		assert_true(interrupt_seen());
		assert_true(readable());
		interrupt_release();
		assert_false(interrupt_seen());
	}
}

static void what_was_ignored_stays_ignored(void **state)
{
	struct ktstr_error err;
	struct sigaction now;

	(void)state;
	signal(SIGHUP, SIG_IGN);
	assert_int_equal(interrupt_catch(&err), 0);
	raise(SIGHUP);
	assert_false(interrupt_seen());
	interrupt_release();
	assert_int_equal(sigaction(SIGHUP, NULL, &now), 0);
	assert_ptr_equal(now.sa_handler, SIG_IGN);
	interrupt_release();
}

static void signals_are_counted(void **state)
{
	struct ktstr_error err;

	(void)state;
	assert_int_equal(interrupt_catch(&err), 0);
	assert_int_equal(interrupt_take(), 0);
	raise(SIGINT);
	assert_int_equal(interrupt_take(), 1);
	assert_false(readable());
	assert_true(interrupt_seen());
	raise(SIGTERM);
	raise(SIGINT);
	assert_true(readable());
	assert_int_equal(interrupt_take(), 3);
	interrupt_release();
}

static void a_child_has_its_own(void **state)
{
	struct ktstr_error err;
	sigset_t all, before;
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(interrupt_catch(&err), 0);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	raise(SIGINT);
	pid = fork();
	if (pid == 0) {
		bool good = interrupt_in_child(getppid()) == 0;

		sigprocmask(SIG_SETMASK, &before, NULL);
		good = good && !interrupt_seen() && !readable();
		raise(SIGTERM);
		_exit(good && interrupt_seen() && readable() ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	sigprocmask(SIG_SETMASK, &before, NULL);
	assert_int_equal(interrupt_take(), 1);
	interrupt_release();
}

/* Its own child tells through @fd what it made of its parent's end. */
__attribute__((noreturn)) static void die_before_child(int fd, const sigset_t *before)
{
	pid_t parent = getpid();
	struct pollfd p;

	if (fork() > 0) {
		/* Only once the child says that it is ready. */
		p = (struct pollfd){ .fd = fd, .events = POLLIN };
		poll(&p, 1, -1);
		_exit(0);
	}
	if (interrupt_in_child(parent) < 0)
		_exit(1);
	sigprocmask(SIG_SETMASK, before, NULL);
	p = (struct pollfd){ .fd = interrupt_fd(), .events = POLLIN };
	if (write(fd, "r", 1) != 1)
		_exit(1);
	while (!interrupt_seen())
		poll(&p, 1, -1);
	/* SIGALRM is on its way, as nobody is left who could insist. */
	dprintf(fd, "%s", alarm(0) > 0 ? "seen" : "no alarm");
	_exit(0);
}

static void a_child_is_told_of_its_parents_death(void **state)
{
	struct ktstr_error err;
	sigset_t all, before;
	char text[16] = "";
	int ends[2];
	pid_t pid;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(interrupt_catch(&err), 0);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0)
		die_before_child(ends[1], &before);
	close(ends[1]);
	assert_int_equal(read(ends[0], text, 1), 1);
	assert_string_equal(text, "r");
	assert_int_equal(write(ends[0], "g", 1), 1);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(read(ends[0], text, sizeof(text) - 1), 4);
	assert_string_equal(text, "seen");
	close(ends[0]);
	sigprocmask(SIG_SETMASK, &before, NULL);
	interrupt_release();
}

static void a_child_that_comes_too_late_is_told(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(interrupt_in_child(getpid()) == -EOWNERDEAD ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signal_is_seen_and_stays_seen),
		cmocka_unit_test(what_was_ignored_stays_ignored),
		cmocka_unit_test(signals_are_counted),
		cmocka_unit_test(a_child_has_its_own),
		cmocka_unit_test(a_child_is_told_of_its_parents_death),
		cmocka_unit_test(a_child_that_comes_too_late_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
