// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "vm/exact_clock.h"

#define YEAR_2026 1767225600

/* This program once more, as one that asks for the time. */
static int tell(void)
{
	for (int i = 0; i < 3; i++) {
		struct timeval tv;

		if (gettimeofday(&tv, NULL) != 0 || tv.tv_sec != YEAR_2026 + i || tv.tv_usec != 0)
			return 1;
	}
	return 0;
}

static int run_with(char **env)
{
	char *argv[] = { (char[]){ "test" }, (char[]){ "tell" }, NULL };
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execve("/proc/self/exe", argv, env);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void a_program_that_has_it_sees_a_second_pass(void **state)
{
	extern char **environ;
	char **env;
	int fd;

	(void)state;
	/* Sanitizers want to be loaded first. */
	setenv("ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=0", 1);
	fd = exact_clock_open(NULL);
	assert_true(fd > STDERR_FILENO);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(fcntl(fd, F_SETFD, 0), 0);
	env = exact_clock_environment(fd);
	assert_non_null(env);
	assert_int_equal(run_with(environ), 1);
	assert_int_equal(run_with(env), 0);
	free(env);
	close(fd);
}

static void nothing_else_is_preloaded(void **state)
{
	char **env;
	int nr = 0, kept = 0;

	(void)state;
	setenv("LD_PRELOAD", "/nowhere/other.so", 1);
	setenv("LD_PRELOADS", "kept", 1);
	env = exact_clock_environment(7);
	unsetenv("LD_PRELOAD");
	assert_non_null(env);
	assert_string_equal(env[0], "LD_PRELOAD=/proc/self/fd/7");
	for (char **p = env; *p; p++) {
		nr += strncmp(*p, "LD_PRELOAD=", 11) == 0;
		kept += strcmp(*p, "LD_PRELOADS=kept") == 0;
	}
	assert_int_equal(nr, 1);
	assert_int_equal(kept, 1);
	free(env);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_that_has_it_sees_a_second_pass),
		cmocka_unit_test(nothing_else_is_preloaded),
	};

	if (argc > 1 && !strcmp(argv[1], "tell"))
		return tell();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
