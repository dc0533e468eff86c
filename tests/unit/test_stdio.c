// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <ktstr/options.h>

/* In a child, whose stdio may be lost.  Return: 0, or the number of the step that failed. */
static int hold_without(const int *closed, int nr)
{
	char byte = 'x';
	int fd;

	for (int i = 0; i < nr; i++)
		close(closed[i]);
	ktstr_stdio_hold();
	for (int i = 0; i < nr; i++) {
		if (fcntl(closed[i], F_GETFD) != 0)
			return 1;
		errno = 0;
		if (closed[i] == 0 ? read(0, &byte, 1) != -1 : write(closed[i], &byte, 1) != -1)
			return 2;
		if (errno != EBADF)
			return 3;
	}
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return fd > 2 ? 0 : 4;
}

static void check(const int *closed, int nr)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(hold_without(closed, nr));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void closed_descriptors_are_held(void **state)
{
	(void)state;
	check((const int[]){ 0 }, 1);
	check((const int[]){ 1 }, 1);
	check((const int[]){ 2 }, 1);
	check((const int[]){ 0, 2 }, 2);
	check((const int[]){ 0, 1, 2 }, 3);
}

static void open_ones_stay_as_they_are(void **state)
{
	int line[2], status;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe2(line, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		dup2(line[1], 1);
		ktstr_stdio_hold();
		_exit(write(1, "x", 1) == 1 ? 0 : 1);
	}
	close(line[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(read(line[0], (char[1]){ 0 }, 1), 1);
	close(line[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(closed_descriptors_are_held),
		cmocka_unit_test(open_ones_stay_as_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
