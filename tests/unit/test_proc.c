// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "tests/lib/payloads.h"
#include "tests/lib/process.h"
#include "work/proc.h"
#include "work/ready.h"

DEFINE_CLEANUP(struct proc *, proc_destroy);
#define _cleanup_proc_ _cleanup_(proc_destroyp)

#define WORDS(...)    ((const char *const[]){ __VA_ARGS__, NULL })
#define SHELL(script) WORDS("/bin/sh", "-c", script)

static struct ktstr_error err;

static struct proc *start(const char *const *argv)
{
	struct proc *p = NULL;

	assert_int_equal(proc_start(&(struct proc_opts){ .argv = argv }, &p, &err), 0);
	return p;
}

static struct proc *start_payload(const char *name, const char *const *argv)
{
	_cleanup_free_ char *path = payload_path(name);
	struct proc *p = NULL;

	assert_int_equal(proc_start(&(struct proc_opts){ .file = path, .argv = argv }, &p, &err),
			 0);
	return p;
}

static void assert_no_children(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void exit_code_and_signal_are_apart(void **state)
{
	_cleanup_proc_ struct proc *a = start(SHELL("exit 9"));
	_cleanup_proc_ struct proc *b = start(SHELL("kill -9 $$"));

	(void)state;
	assert_null(proc_result(a));
	assert_int_equal(proc_wait(a, UINT64_MAX), 0);
	assert_true(proc_result(a)->exited);
	assert_int_equal(proc_result(a)->exit_code, 9);
	assert_int_equal(proc_result(a)->signal, 0);
	assert_false(proc_result(a)->killed);
	assert_int_equal(proc_wait(b, UINT64_MAX), 0);
	assert_false(proc_result(b)->exited);
	assert_int_equal(proc_result(b)->signal, SIGKILL);
	assert_false(proc_result(b)->killed);
	assert_no_children();
}

static void pid_lasts_until_collected(void **state)
{
	_cleanup_proc_ struct proc *p = start(SHELL("echo $$"));
	pid_t pid = proc_pid(p);
	char text[32];

	(void)state;
	assert_true(pid > 0);
	/* It has ended for certain once its output is there, yet nobody collected it. */
	while (!process_is_dead(pid))
		sched_yield();
	assert_int_equal(proc_pid(p), pid);
	assert_int_equal(proc_wait(p, UINT64_MAX), 0);
	assert_int_equal(proc_pid(p), -ESRCH);
	snprintf(text, sizeof(text), "%d\n", (int)pid);
	assert_string_equal(proc_result(p)->stdout_text, text);
}

static void collecting_twice_is_refused(void **state)
{
	_cleanup_proc_ struct proc *p = start(SHELL("exit 0"));

	(void)state;
	assert_int_equal(proc_wait(p, UINT64_MAX), 0);
	assert_int_equal(proc_wait(p, UINT64_MAX), -ESRCH);
	assert_int_equal(proc_try_wait(p), -ESRCH);
	assert_int_equal(proc_kill(p), -ESRCH);
}

static void wait_has_a_limit(void **state)
{
	_cleanup_proc_ struct proc *p = start(SHELL("exec cat /dev/zero > /dev/null"));

	(void)state;
	assert_int_equal(proc_try_wait(p), 0);
	assert_int_equal(proc_wait(p, 20 * NSEC_PER_MSEC), -ETIMEDOUT);
	assert_true(proc_pid(p) > 0);
	assert_null(proc_result(p));
	assert_int_equal(proc_kill(p), 0);
	assert_int_equal(proc_result(p)->signal, SIGKILL);
	assert_true(proc_result(p)->killed);
	assert_true(proc_result(p)->wall_ns >= 20 * NSEC_PER_MSEC);
}

static void leads_its_own_group_or_shares_ours(void **state)
{
	_cleanup_proc_ struct proc *own = start(SHELL("exec cat /dev/zero >/dev/null"));
	_cleanup_proc_ struct proc *shared = NULL;

	(void)state;
	assert_int_equal(getpgid(proc_pid(own)), proc_pid(own));
	assert_int_equal(
		proc_start(&(struct proc_opts){ .argv = SHELL("exec cat /dev/zero >/dev/null"),
						.shared_group = true },
			   &shared, &err),
		0);
	assert_int_equal(getpgid(proc_pid(shared)), getpgid(0));
	assert_int_equal(proc_kill(shared), 0);
	assert_int_equal(proc_kill(own), 0);
	assert_no_children();
}

static pid_t printed_child(const struct proc *p)
{
	int pid = 0;

	assert_int_equal(sscanf(proc_result(p)->stdout_text, "{\"child\": %d}", &pid), 1);
	return pid;
}

static void kill_reaches_grandchildren(void **state)
{
	_cleanup_proc_ struct proc *p =
		start_payload("ktstr-fork-daemon", WORDS("fork-daemon", "--stay"));
	pid_t pid = proc_pid(p);
	char words[16];

	(void)state;
	/* Its words mean that the grandchild is there. */
	do {
		assert_int_equal(proc_wait(p, NSEC_PER_MSEC), -ETIMEDOUT);
		proc_last_words(p, words, sizeof(words));
	} while (!words[0]);
	assert_int_equal(proc_kill(p), 0);
	ready_forget(pid);
	assert_true(proc_result(p)->killed);
	assert_null(proc_leftovers(p));
	process_wait_dead(printed_child(p));
	assert_no_children();
}

static void leftovers_of_the_group_are_killed(void **state)
{
	_cleanup_proc_ struct proc *p = start_payload("ktstr-fork-daemon", WORDS("fork-daemon"));
	char text[64];

	(void)state;
	assert_int_equal(proc_wait(p, UINT64_MAX), 0);
	assert_int_equal(proc_result(p)->exit_code, 0);
	process_wait_dead(printed_child(p));
	snprintf(text, sizeof(text), "%d (ktstr-fork-daem)", (int)printed_child(p));
	assert_non_null(proc_leftovers(p));
	assert_string_equal(proc_leftovers(p), text);
}

static void daemon_with_the_pipes_blocks_nothing(void **state)
{
	_cleanup_proc_ struct proc *p =
		start_payload("ktstr-fork-daemon", WORDS("fork-daemon", "--setsid"));

	(void)state;
	assert_int_equal(proc_wait(p, UINT64_MAX), 0);
	assert_null(proc_leftovers(p));
	assert_false(process_is_dead(printed_child(p)));
	kill(printed_child(p), SIGKILL);
	process_wait_dead(printed_child(p));
}

static void nobody_reads_ten_mebibytes(void **state)
{
	_cleanup_proc_ struct proc *p =
		start_payload("ktstr-noisy", WORDS("noisy", "10240", "10240"));
	const struct ktstr_proc_result *r;

	(void)state;
	/* Nothing is called until it has ended: it must not be stuck in a full pipe. */
	while (!process_is_dead(proc_pid(p)))
		sched_yield();
	assert_int_equal(proc_try_wait(p), 1);
	r = proc_result(p);
	assert_int_equal(r->exit_code, 0);
	assert_int_equal(r->stdout_bytes, (10 << 20) + strlen("{\"lines\": 163840}\n"));
	assert_int_equal(r->stderr_bytes, (10 << 20) + strlen("last words\n"));
	assert_true(r->output_cut);
}

static void both_ends_of_long_output_are_kept(void **state)
{
	_cleanup_proc_ struct proc *p = NULL;
	const struct ktstr_proc_result *r;
	char words[64];
	size_t length;

	(void)state;
	assert_int_equal(proc_start(&(struct proc_opts){ .argv = SHELL("i=0; while [ $i -lt 1000 ];"
								       "do echo line$i; echo err$i "
								       ">&2; i=$((i+1)); done"),
							 .keep_bytes = 200 },
				    &p, &err),
			 0);
	assert_int_equal(proc_wait(p, UINT64_MAX), 0);
	r = proc_result(p);
	assert_true(r->output_cut);
	assert_ptr_equal(strstr(r->stdout_text, "line0\nline1\n"), r->stdout_text);
	assert_non_null(strstr(r->stdout_text, "\nline999\n"));
	assert_non_null(strstr(r->stdout_text, "\n[7690 bytes left out]\n"));
	assert_int_equal(r->stdout_bytes, 7890);
	proc_stdout(p, &length);
	assert_int_equal(length, 200 + strlen("\n[7690 bytes left out]\n"));
	proc_last_words(p, words, sizeof(words));
	assert_string_equal(words, "err999");
}

static void output_up_to_the_cap_is_whole(void **state)
{
	_cleanup_proc_ struct proc *p = NULL;

	(void)state;
	assert_int_equal(proc_start(&(struct proc_opts){ .argv = SHELL("printf 0123456789"),
							 .keep_bytes = 10 },
				    &p, &err),
			 0);
	assert_int_equal(proc_wait(p, UINT64_MAX), 0);
	assert_false(proc_result(p)->output_cut);
	assert_string_equal(proc_result(p)->stdout_text, "0123456789");
	assert_int_equal(proc_result(p)->stdout_bytes, 10);
}

static void last_words_are_printable(void **state)
{
	_cleanup_proc_ struct proc *p =
		start(SHELL("printf 'first\\nse\\001cond \\377\\n  \\n\\n' >&2"));
	_cleanup_proc_ struct proc *quiet = start(SHELL("exit 0"));
	char words[64], few[5];

	(void)state;
	assert_int_equal(proc_wait(p, UINT64_MAX), 0);
	proc_last_words(p, words, sizeof(words));
	assert_string_equal(words, "se?cond ?");
	proc_last_words(p, few, sizeof(few));
	assert_string_equal(few, "se?c");
	assert_int_equal(proc_wait(quiet, UINT64_MAX), 0);
	proc_last_words(quiet, words, sizeof(words));
	assert_string_equal(words, "");
}

static void environment_and_folder_are_given(void **state)
{
	_cleanup_proc_ struct proc *p = NULL;

	(void)state;
	assert_int_equal(setenv("KTSTR_UNIT_OLD", "old", 1), 0);
	assert_int_equal(setenv("KTSTR_UNIT_KEPT", "kept", 1), 0);
	assert_int_equal(
		proc_start(
			&(struct proc_opts){
				.argv = SHELL("pwd; echo $KTSTR_UNIT_OLD $KTSTR_UNIT_KEPT $NEW"),
				.env = WORDS("KTSTR_UNIT_OLD=new", "NEW=1", "NEW=2"),
				.cwd = "/proc" },
			&p, &err),
		0);
	assert_int_equal(proc_wait(p, UINT64_MAX), 0);
	assert_string_equal(proc_result(p)->stdout_text, "/proc\nnew kept 2\n");
}

static void variables_are_there_once(void **state)
{
	unsigned int old = 0, new = 0, added = 0;
	const char **env = NULL;

	(void)state;
	assert_int_equal(setenv("KTSTR_UNIT_OLD", "old", 1), 0);
	assert_int_equal(
		proc_environment(WORDS("KTSTR_UNIT_OLD=new", "NEW=1", "NEW=2"), &env, &err), 0);
	for (const char **p = env; *p; p++) {
		old += !strcmp(*p, "KTSTR_UNIT_OLD=old");
		new += !strcmp(*p, "KTSTR_UNIT_OLD=new");
		added += !strncmp(*p, "NEW=", 4);
	}
	free(env);
	assert_int_equal(old, 0);
	assert_int_equal(new, 1);
	assert_int_equal(added, 1);
}

static void bad_starts_say_why_and_leave_nothing(void **state)
{
	const struct {
		struct proc_opts opts;
		int code;
		const char *text;
	} bad[] = {
		{ { .argv = WORDS("/no/such/file") }, -ENOENT, "'/no/such/file'" },
		{ { .argv = WORDS("/etc/passwd") }, -EACCES, "'/etc/passwd'" },
		{ { .argv = WORDS("/bin/sh"), .cwd = "/no/folder" }, -ENOENT, "'/no/folder'" },
		{ { .argv = WORDS("/bin/sh"), .env = WORDS("A=1", "WRONG") }, -EINVAL, "'WRONG'" },
		{ { .argv = WORDS("/bin/sh"), .env = WORDS("=x") }, -EINVAL, "'=x'" },
	};
	unsigned int fds = process_count_files();
	struct proc *p = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(proc_start(&bad[i].opts, &p, &err), bad[i].code);
		assert_non_null(strstr(err.text, bad[i].text));
		assert_null(p);
	}
	assert_int_equal(process_count_files(), fds);
	assert_no_children();
}

static void nothing_leaks(void **state)
{
	unsigned int fds = process_count_files();

	(void)state;
	for (int i = 0; i < 20; i++) {
		struct proc *ended = start(SHELL("exit 0"));
		struct proc *running = start(SHELL("exec cat /dev/zero >/dev/null"));
		struct proc *killed = start(SHELL("exec cat /dev/zero >/dev/null"));

		assert_int_equal(proc_wait(ended, UINT64_MAX), 0);
		assert_int_equal(proc_kill(killed), 0);
		proc_destroy(ended);
		proc_destroy(running);
		proc_destroy(killed);
	}
	proc_destroy(NULL);
	assert_int_equal(process_count_files(), fds);
	assert_no_children();
}

static void ignored_sigchld_is_mended(void **state)
{
	struct proc *p;
	void (*now)(int);

	(void)state;
	signal(SIGCHLD, SIG_IGN);
	p = start(SHELL("exit 3"));
	now = signal(SIGCHLD, SIG_DFL);
	assert_int_equal(proc_wait(p, UINT64_MAX), 0);
	assert_int_equal(proc_result(p)->exit_code, 3);
	assert_true(now == SIG_DFL);
	proc_destroy(p);
}

static void stolen_exit_status_is_no_zero(void **state)
{
	_cleanup_proc_ struct proc *p = start(SHELL("exit 0"));

	(void)state;
	assert_int_equal(waitpid(proc_pid(p), NULL, 0), proc_pid(p));
	assert_int_equal(proc_wait(p, UINT64_MAX), -ECHILD);
	assert_int_equal(proc_pid(p), -ESRCH);
	assert_false(proc_result(p)->exited);
	assert_int_equal(proc_result(p)->signal, 0);
	assert_int_equal(proc_kill(p), -ESRCH);
}

static void dies_with_the_one_who_started_it(void **state)
{
	int fds[2];
	pid_t parent, child = 0;

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	parent = fork();
	if (parent == 0) {
		struct proc *p = NULL;

		if (proc_start(
			    &(struct proc_opts){ .argv = SHELL("exec cat /dev/zero >/dev/null") },
			    &p, NULL) < 0)
			_exit(1);
		child = proc_pid(p);
		_exit(write(fds[1], &child, sizeof(child)) != sizeof(child));
	}
	assert_int_equal(read(fds[0], &child, sizeof(child)), sizeof(child));
	assert_int_equal(waitpid(parent, NULL, 0), parent);
	assert_true(child > 0);
	process_wait_dead(child);
	close(fds[0]);
	close(fds[1]);
}

static void many_at_once(void **state)
{
	enum { NR = 32 };
	struct proc *procs[NR];
	char text[32];

	(void)state;
	for (int i = 0; i < NR; i++) {
		snprintf(text, sizeof(text), "echo %d; exit %d", i, i);
		procs[i] = start(SHELL(text));
	}
	for (int i = NR - 1; i >= 0; i--) {
		snprintf(text, sizeof(text), "%d\n", i);
		assert_int_equal(proc_wait(procs[i], UINT64_MAX), 0);
		assert_int_equal(proc_result(procs[i])->exit_code, i);
		assert_string_equal(proc_result(procs[i])->stdout_text, text);
		proc_destroy(procs[i]);
	}
	assert_no_children();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exit_code_and_signal_are_apart),
		cmocka_unit_test(pid_lasts_until_collected),
		cmocka_unit_test(collecting_twice_is_refused),
		cmocka_unit_test(wait_has_a_limit),
		cmocka_unit_test(leads_its_own_group_or_shares_ours),
		cmocka_unit_test(kill_reaches_grandchildren),
		cmocka_unit_test(leftovers_of_the_group_are_killed),
		cmocka_unit_test(daemon_with_the_pipes_blocks_nothing),
		cmocka_unit_test(nobody_reads_ten_mebibytes),
		cmocka_unit_test(both_ends_of_long_output_are_kept),
		cmocka_unit_test(output_up_to_the_cap_is_whole),
		cmocka_unit_test(last_words_are_printable),
		cmocka_unit_test(environment_and_folder_are_given),
		cmocka_unit_test(variables_are_there_once),
		cmocka_unit_test(bad_starts_say_why_and_leave_nothing),
		cmocka_unit_test(nothing_leaks),
		cmocka_unit_test(ignored_sigchld_is_mended),
		cmocka_unit_test(stolen_exit_status_is_no_zero),
		cmocka_unit_test(dies_with_the_one_who_started_it),
		cmocka_unit_test(many_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
