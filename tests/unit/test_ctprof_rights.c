// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Captures by somebody who may not see, or not do, everything. */
#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "tests/lib/rights.h"
#include <ktstr/ctprof.h>

enum { NOBODY = 65534, NEEDS = 77 };

static pid_t wait_as(uid_t uid)
{
	int fds[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		if (uid && setresuid(uid, uid, uid) < 0)
			_exit(1);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (write(fds[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &c, 1), 1);
	close(fds[0]);
	return pid;
}

/* In a child, as rights do not come back.  0: it holds. */
static void expect_in_child(int (*look)(pid_t target), pid_t target)
{
	pid_t pid;
	int status;

	if (geteuid() != 0) {
		print_message("needs root, to become somebody with fewer rights\n");
		skip();
	}
	pid = fork();
	if (pid == 0)
		_exit(look(target));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == NEEDS) {
		print_message("needs a mount namespace and capabilities\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static struct ktstr_ctprof *capture(enum ktstr_ctprof_collector collector)
{
	const struct ktstr_ctprof_opts opts = { .collector = collector };
	struct ktstr_ctprof *snap = NULL;

	return ktstr_ctprof_capture(&opts, &snap, NULL) < 0 ? NULL : snap;
}

static const struct ktstr_ctprof_thread *leader(const struct ktstr_ctprof *snap, pid_t pid)
{
	return ktstr_ctprof_find(snap, (uint32_t)pid, (uint32_t)pid);
}

static bool own_mounts(void)
{
	return unshare(CLONE_NEWNS) == 0 &&
	       mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static bool mount_proc(const char *options)
{
	return own_mounts() && mount("proc", "/proc", "proc", 0, options) == 0;
}

static int hidden(const char *options, bool listed)
{
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL, *none = NULL;
	struct ktstr_error err = { 0 };
	const uint64_t *stat;

	if (!mount_proc(options))
		return NEEDS;
	if (setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0)
		return 1;
	snap = capture(KTSTR_COLLECTOR_PROCFS);
	if (!snap || !leader(snap, getpid()))
		return 2;
	if (leader(snap, getppid()))
		return 3;
	if (snap->summary.hidden != !listed)
		return 5;
	if (!listed && (ktstr_ctprof_capture(&(struct ktstr_ctprof_opts){ .pid = getppid() }, &none,
					     &err) != -ESRCH ||
			!strstr(err.text, "hidepid")))
		return 6;
	stat = snap->summary.failures[KTSTR_CTPROF_FILE_STAT];
	return !stat[KTSTR_CTPROF_REASON_PERMISSION] == listed ? 4 : 0;
}

static int look_with_hidepid_1(pid_t target)
{
	(void)target;
	return hidden("hidepid=1", true);
}

static int look_with_hidepid_2(pid_t target)
{
	(void)target;
	return hidden("hidepid=2", false);
}

/* What cannot be entered is said to be a matter of rights. */
static void listed_but_closed_processes_count(void **state)
{
	(void)state;
	expect_in_child(look_with_hidepid_1, 0);
}

static void hidden_processes_are_not_there(void **state)
{
	(void)state;
	expect_in_child(look_with_hidepid_2, 0);
}

static int look_without_ptrace(pid_t target)
{
	/* The other two open memory maps to profilers since Linux 6.15. */
	const int dropped[] = { CAP_SYS_PTRACE, CAP_PERFMON, CAP_SYS_ADMIN };
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;
	const struct ktstr_ctprof_thread *t;

	if (rights_drop(dropped, 3) < 0)
		return NEEDS;
	snap = capture(KTSTR_COLLECTOR_PROCFS);
	t = snap ? leader(snap, target) : NULL;
	if (!t)
		return 1;
	if (!ktstr_ctprof_get(t, KTSTR_CTPROF_RUN_TIME, &(int64_t){ 0 }))
		return 2;
	if (ktstr_ctprof_get(t, KTSTR_CTPROF_RCHAR, &(int64_t){ 0 }) ||
	    ktstr_ctprof_get(t, KTSTR_CTPROF_SMAPS_RSS, &(int64_t){ 0 }) ||
	    ktstr_ctprof_get(t, KTSTR_CTPROF_ALLOCATED, &(int64_t){ 0 }))
		return 3;
	if (t->jemalloc != KTSTR_JEMALLOC_EXE_UNREADABLE)
		return 4;
	if (!snap->summary.failures[KTSTR_CTPROF_FILE_IO][KTSTR_CTPROF_REASON_PERMISSION])
		return 5;
	if (!snap->summary.failures[KTSTR_CTPROF_FILE_SMAPS_ROLLUP][KTSTR_CTPROF_REASON_PERMISSION])
		return 6;
	return 0;
}

static void without_ptrace_others_are_closed(void **state)
{
	pid_t target;

	(void)state;
	if (!rights_have(CAP_SYS_PTRACE)) {
		print_message("needs CAP_SYS_PTRACE, to give it up\n");
		skip();
	}
	target = wait_as(NOBODY);
	expect_in_child(look_without_ptrace, target);
	end(target);
}

static int look_without_net_admin(pid_t target)
{
	const int dropped[] = { CAP_NET_ADMIN };
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;
	const struct ktstr_ctprof_thread *t;

	if (rights_drop(dropped, 1) < 0)
		return NEEDS;
	snap = capture(KTSTR_COLLECTOR_PROCFS);
	t = snap ? leader(snap, target) : NULL;
	if (!t)
		return 1;
	if (ktstr_ctprof_get(t, KTSTR_CTPROF_CPU_DELAY_TOTAL, &(int64_t){ 0 }))
		return 2;
	/* Its schedstat is read instead. */
	if (!ktstr_ctprof_get(t, KTSTR_CTPROF_RUN_TIME, &(int64_t){ 0 }))
		return 3;
	if (snap->summary.failures[KTSTR_CTPROF_FILE_TASKSTATS][KTSTR_CTPROF_REASON_PERMISSION] +
		    snap->summary
			    .failures[KTSTR_CTPROF_FILE_TASKSTATS][KTSTR_CTPROF_REASON_MISSING] !=
	    snap->nr_threads)
		return 4;
	return 0;
}

static void without_net_admin_no_delays(void **state)
{
	pid_t target = wait_as(0);

	(void)state;
	expect_in_child(look_without_net_admin, target);
	end(target);
}

static int look_without_bpf(pid_t target)
{
	const int dropped[] = { CAP_BPF, CAP_PERFMON, CAP_SYS_ADMIN };
	const struct ktstr_ctprof_opts forced = { .collector = KTSTR_COLLECTOR_BPF };
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL, *none = NULL;
	struct ktstr_error err = { 0 };

	if (rights_drop(dropped, 3) < 0)
		return NEEDS;
	snap = capture(KTSTR_COLLECTOR_AUTO);
	if (!snap || !leader(snap, target) || strcmp(snap->collector, "procfs"))
		return 1;
	if (!snap->nr_warnings)
		return 2;
	if (ktstr_ctprof_capture(&forced, &none, &err) != -EOPNOTSUPP || !err.text[0])
		return 3;
	return 0;
}

static void without_bpf_files_are_read(void **state)
{
	pid_t target = wait_as(0);

	(void)state;
	expect_in_child(look_without_bpf, target);
	end(target);
}

/* As the kernel puts it where nobody ever mounted cgroup v2: no line of it. */
static bool show_v1_only(void)
{
	static const char line[] = "1:cpu:/inner\n";
	char file[] = "/tmp/ktstr-v1-XXXXXX";
	int fd = mkstemp(file);
	bool done = fd >= 0 && write(fd, line, strlen(line)) == (ssize_t)strlen(line) &&
		    own_mounts() && mount(file, "/proc/self/cgroup", NULL, MS_BIND, NULL) == 0 &&
		    mount(file, "/proc/thread-self/cgroup", NULL, MS_BIND, NULL) == 0;

	if (fd >= 0)
		close(fd);
	unlink(file);
	return done;
}

static int look_with_v1_only(pid_t target)
{
	_cleanup_ctprof_ struct ktstr_ctprof *files = NULL, *bpf = NULL;
	const struct ktstr_ctprof_thread *t;

	if (!show_v1_only())
		return NEEDS;
	files = capture(KTSTR_COLLECTOR_PROCFS);
	t = files ? leader(files, getpid()) : NULL;
	if (!t || t->texts[KTSTR_CTPROF_TEXT_CGROUP])
		return 1;
	if (files->summary.failures[KTSTR_CTPROF_FILE_CGROUP][KTSTR_CTPROF_REASON_MISSING] != 1)
		return 2;
	/* Paths in a tree that procfs does not show would be a different story. */
	bpf = capture(KTSTR_COLLECTOR_BPF);
	if (!bpf)
		return 0;
	t = leader(bpf, target);
	if (!t || t->texts[KTSTR_CTPROF_TEXT_CGROUP])
		return 3;
	return ktstr_ctprof_get(t, KTSTR_CTPROF_RUN_TIME, &(int64_t){ 0 }) ? 0 : 4;
}

static void v1_only_has_no_paths(void **state)
{
	pid_t target = wait_as(0);

	(void)state;
	expect_in_child(look_with_v1_only, target);
	end(target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(listed_but_closed_processes_count),
		cmocka_unit_test(hidden_processes_are_not_there),
		cmocka_unit_test(without_ptrace_others_are_closed),
		cmocka_unit_test(without_net_admin_no_delays),
		cmocka_unit_test(without_bpf_files_are_read),
		cmocka_unit_test(v1_only_has_no_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
