// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <ktstr/kernel.h>

#include "base/cleanup.h"
#include "kernel/program.h"

static struct ktstr_error err;

static int run_shell(const char *script, struct strbuf *ret_output)
{
	const char *const argv[] = { "sh", "-c", script, NULL };

	memset(&err, 0, sizeof(err));
	return program_run(&(struct program_opts){ .argv = argv }, ret_output, &err);
}

static void output_is_collected(void **state)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;

	(void)state;
	assert_int_equal(run_shell("echo one; echo two >&2; echo $LC_ALL", &out), 0);
	assert_string_equal(out.data, "one\ntwo\nC\n");
}

static void what_is_left_lies_where_it_was_said(void **state)
{
	const char *const argv[] = { "sh", "-c", "echo $TMPDIR", NULL };
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;

	(void)state;
	setenv("TMPDIR", "/elsewhere", 1);
	assert_int_equal(
		program_run(&(struct program_opts){ .argv = argv, .tmp_dir = "/a/b" }, &out, &err),
		0);
	assert_string_equal(out.data, "/a/b\n");
	assert_int_equal(program_run(&(struct program_opts){ .argv = argv }, &out, &err), 0);
	unsetenv("TMPDIR");
	assert_string_equal(out.data, "/elsewhere\n");
}

static void failures_are_told_apart(void **state)
{
	static const struct {
		const char *script;
		int code;
		const char *text;
	} cases[] = {
		{ "echo a; echo b; exit 3", -EIO, "'sh' failed with exit code 3: a|b" },
		{ "echo 'write: No space left on device'; exit 2", -ENOSPC, "exit code 2" },
		{ "echo \"Temporary failure resolving 'x'\"; exit 100", -ENETUNREACH, "100" },
		{ "echo W: never mind; echo E: broken; exit 100", -EIO, "code 100: E: broken" },
		{ "echo E: one; echo E: two; exit 100", -EIO, "code 100: E: one|E: two" },
		{ "kill -9 $$", -EIO, "'sh' was killed by signal 9" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(run_shell(cases[i].script, NULL), cases[i].code);
		assert_non_null(strstr(err.text, cases[i].text));
	}
}

static void long_output_is_quoted_from_its_end(void **state)
{
	(void)state;
	assert_int_equal(run_shell("i=0; while [ $i -lt 500 ]; do echo line $i; i=$((i+1)); done; "
				   "exit 1",
				   NULL),
			 -EIO);
	assert_non_null(strstr(err.text, "code 1: ..."));
	assert_non_null(strstr(err.text, "|line 499"));
	assert_null(strstr(err.text, "line 0|"));
}

static void a_missing_program_names_its_package(void **state)
{
	const char *const argv[] = { "no-such-program", NULL };

	(void)state;
	assert_int_equal(
		program_run(&(struct program_opts){ .argv = argv, .package = "tools" }, NULL, &err),
		-ENOTSUP);
	assert_string_equal(err.text,
			    "program 'no-such-program' is missing; install the package 'tools'");
}

/* In a process of its own: the interruption of a process is final. */
static void an_interrupt_kills_what_runs(void **state)
{
	int status, fds[2];
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		const char *const argv[] = { "sh", "-c", "kill -INT $PPID; exec tail -f /dev/null",
					     NULL };
		const struct sigaction action = { .sa_handler =
							  (void (*)(int))ktstr_kernel_interrupt };
		int r;

		close(fds[0]);
		sigaction(SIGINT, &action, NULL);
		r = program_run(&(struct program_opts){ .argv = argv, .stdout_fd = fds[1] }, NULL,
				&err);
		_exit(r == -EINTR && program_interrupted() ? 0 : 1);
	}
	close(fds[1]);
	/* End of file means that nobody who could write is left. */
	assert_int_equal(read(fds[0], &byte, 1), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(fds[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(output_is_collected),
		cmocka_unit_test(what_is_left_lies_where_it_was_said),
		cmocka_unit_test(failures_are_told_apart),
		cmocka_unit_test(long_output_is_quoted_from_its_end),
		cmocka_unit_test(a_missing_program_names_its_package),
		cmocka_unit_test(an_interrupt_kills_what_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
