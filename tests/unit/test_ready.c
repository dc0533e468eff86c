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
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "tests/lib/payloads.h"
#include "work/ready.h"

DEFINE_CLEANUP(struct proc *, proc_destroy);
#define _cleanup_proc_ _cleanup_(proc_destroyp)

#define LONG_NS (3600 * NSEC_PER_SEC)

static struct ktstr_error err;

static const struct ktstr_payload payload = {
	.name = "worker",
	.binary = "ktstr-exit-with",
	.exits = { { 2, "BYTES was 0" }, { 4, "no marker" } },
};

#define START(...) start((const char *const[]){ "exit-with", __VA_ARGS__, NULL })

static struct proc *start(const char *const *argv)
{
	_cleanup_free_ char *path = payload_path(payload.binary);
	struct proc *p = NULL;

	assert_int_equal(proc_start(&(struct proc_opts){ .file = path, .argv = argv }, &p, &err),
			 0);
	return p;
}

static const char *marker_of(pid_t pid)
{
	static char path[64];

	snprintf(path, sizeof(path), READY_MARKER_FORMAT, (int)pid);
	return path;
}

static void marker_means_ready(void **state)
{
	_cleanup_proc_ struct proc *p = START("ready", "hold");
	pid_t pid = proc_pid(p);

	(void)state;
	assert_int_equal(ready_wait(p, &payload, LONG_NS, &err), 0);
	assert_int_equal(proc_pid(p), pid);
	assert_int_equal(access(marker_of(pid), F_OK), 0);
	assert_int_equal(ready_wait(p, &payload, 0, &err), 0);
	assert_int_equal(proc_kill(p), 0);
	ready_forget(pid);
	assert_int_equal(access(marker_of(pid), F_OK), -1);
	assert_int_equal(ready_wait(p, &payload, LONG_NS, &err), -ESRCH);
}

static void early_death_is_told_with_its_meaning(void **state)
{
	_cleanup_proc_ struct proc *p = START("say:first", "say:BYTES is 0", "exit:2");
	pid_t pid = proc_pid(p);
	char wanted[256];

	(void)state;
	assert_int_equal(ready_wait(p, &payload, LONG_NS, &err), -ECHILD);
	snprintf(wanted, sizeof(wanted),
		 "payload 'worker' (pid %d) exited with 2 (BYTES was 0) before it wrote its ready "
		 "marker '%s'; last on stderr: BYTES is 0",
		 (int)pid, marker_of(pid));
	assert_string_equal(err.text, wanted);
	assert_int_equal(proc_result(p)->exit_code, 2);
}

static void early_signal_is_no_exit_code(void **state)
{
	_cleanup_proc_ struct proc *p = START("signal:11");

	(void)state;
	assert_int_equal(ready_wait(p, &payload, LONG_NS, &err), -ECHILD);
	assert_non_null(strstr(err.text, "was killed by signal 11 (Segmentation fault) before"));
	assert_non_null(strstr(err.text, "nothing on stderr"));
	assert_int_equal(proc_result(p)->signal, SIGSEGV);
}

static void marker_then_death_is_no_readiness(void **state)
{
	_cleanup_proc_ struct proc *p = START("ready", "exit:4");
	pid_t pid = proc_pid(p);

	(void)state;
	while (access(marker_of(pid), F_OK) < 0)
		sched_yield();
	/* The marker is there; whether the end comes before or after the first look is open. */
	while (ready_wait(p, &payload, LONG_NS, &err) == 0)
		sched_yield();
	assert_non_null(strstr(err.text, "exited with 4 (no marker) right after it wrote its"));
	ready_forget(pid);
}

static void silence_times_out_and_lives(void **state)
{
	_cleanup_proc_ struct proc *p = START("say:thinking", "hold");
	char words[16] = "";

	(void)state;
	while (!words[0])
		proc_last_words(p, words, sizeof(words));
	assert_int_equal(ready_wait(p, &payload, 30 * NSEC_PER_MSEC, &err), -ETIMEDOUT);
	assert_non_null(strstr(err.text, "within 30 ms and still runs; last on stderr: thinking"));
	assert_int_equal(proc_try_wait(p), 0);
}

static void old_markers_do_not_count(void **state)
{
	_cleanup_proc_ struct proc *p = START("hold");
	const char *marker = marker_of(proc_pid(p));
	struct timespec times[2] = { { .tv_sec = 1000000000 }, { .tv_sec = 1000000000 } };
	int fd = open(marker, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(futimens(fd, times), 0);
	close(fd);
	assert_int_equal(ready_wait(p, &payload, 0, &err), -ETIMEDOUT);
	assert_int_equal(unlink(marker), 0);
	/* Nor does anything but a file. */
	assert_int_equal(mkdir(marker, 0700), 0);
	assert_int_equal(ready_wait(p, &payload, 0, &err), -ETIMEDOUT);
	assert_int_equal(rmdir(marker), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marker_means_ready),
		cmocka_unit_test(early_death_is_told_with_its_meaning),
		cmocka_unit_test(early_signal_is_no_exit_code),
		cmocka_unit_test(marker_then_death_is_no_readiness),
		cmocka_unit_test(silence_times_out_and_lives),
		cmocka_unit_test(old_markers_do_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
