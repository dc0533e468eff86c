// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run/orphan.h"

static pid_t start_sleeper(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

/* Return: the pid of a process whose parent has ended. */
static pid_t start_orphan(void)
{
	int fds[2];
	pid_t pid, parent;

	assert_int_equal(pipe(fds), 0);
	parent = fork();
	if (parent == 0) {
		pid = start_sleeper();
		_exit(write(fds[1], &pid, sizeof(pid)) == sizeof(pid) ? 0 : 1);
	}
	assert_int_equal(read(fds[0], &pid, sizeof(pid)), sizeof(pid));
	assert_int_equal(waitpid(parent, NULL, 0), parent);
	close(fds[0]);
	close(fds[1]);
	return pid;
}

static void all_but_the_kept_are_killed(void **state)
{
	pid_t kept, child, orphan;

	(void)state;
	orphan_adopt();
	kept = start_sleeper();
	child = start_sleeper();
	orphan = start_orphan();
	orphan_kill_all(&kept, 1);
	assert_int_equal(kill(child, 0), -1);
	assert_int_equal(kill(orphan, 0), -1);
	assert_int_equal(kill(kept, 0), 0);
	assert_int_equal(waitpid(kept, NULL, WNOHANG), 0);
	orphan_kill_all(NULL, 0);
	assert_int_equal(kill(kept, 0), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_but_the_kept_are_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
