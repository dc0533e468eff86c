// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Captures under yama's scopes and in a cgroup namespace: switches that only a guest can try. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ktstr/ctprof.h>
#include <ktstr/test.h>

#include "tests/lib/rights.h"

#define SCOPE  "/proc/sys/kernel/yama/ptrace_scope"
#define CGROUP "/sys/fs/cgroup/ctprof-ns"

enum { NO_SNAPSHOT = 100, NO_THREAD, NO_RIGHTS, NO_NAMESPACE, WRONG_OWN, WRONG_OTHER };

static const struct ktstr_payload worker = {
	.name = "alloc_worker",
	.binary = "ktstr-jemalloc-alloc-worker",
};

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));
	int r = n < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return r;
}

static struct ktstr_ctprof *capture(pid_t pid)
{
	const struct ktstr_ctprof_opts opts = { .pid = pid,
						.collector = KTSTR_COLLECTOR_PROCFS,
						.no_calibration = true };
	struct ktstr_ctprof *snap = NULL;

	return ktstr_ctprof_capture(&opts, &snap, NULL) < 0 ? NULL : snap;
}

static int tag_of(pid_t target, bool with_ptrace)
{
	static const int ptrace_right[] = { CAP_SYS_PTRACE };
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;
	const struct ktstr_ctprof_thread *t;

	if (!with_ptrace && rights_drop(ptrace_right, 1) < 0)
		return NO_RIGHTS;
	snap = capture(target);
	if (!snap)
		return NO_SNAPSHOT;
	t = ktstr_ctprof_find(snap, (uint32_t)target, (uint32_t)target);
	if (!t || !ktstr_ctprof_get(t, KTSTR_CTPROF_RUN_TIME, &(int64_t){ 0 }))
		return NO_THREAD;
	if ((t->jemalloc == KTSTR_JEMALLOC_OK) !=
	    ktstr_ctprof_get(t, KTSTR_CTPROF_ALLOCATED, &(int64_t){ 0 }))
		return NO_THREAD;
	return (int)t->jemalloc;
}

/* In a child, which is no ancestor of the target and does not get its rights back. */
static int tag_in_child(pid_t target, bool with_ptrace)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0)
		_exit(tag_of(target, with_ptrace));
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static void yama_scopes(struct ktstr *t)
{
	static const struct {
		const char *scope;
		int without, with; /* CAP_SYS_PTRACE */
	} rows[] = {
		{ "0", KTSTR_JEMALLOC_OK, KTSTR_JEMALLOC_OK },
		{ "1", KTSTR_JEMALLOC_PTRACE_REFUSED, KTSTR_JEMALLOC_OK },
		{ "2", KTSTR_JEMALLOC_PTRACE_REFUSED, KTSTR_JEMALLOC_OK },
		{ "3", KTSTR_JEMALLOC_PTRACE_REFUSED, KTSTR_JEMALLOC_PTRACE_REFUSED },
	};
	_cleanup_payload_ struct ktstr_proc *strong = NULL, *weak = NULL;

	if (access(SCOPE, W_OK) < 0) {
		ktstr_skip(t, "needs yama: CONFIG_SECURITY_YAMA");
		return;
	}
	ASSERT_OK(t, ktstr_payload_spawn(t, &worker, KTSTR_ARGS("16777216"), &strong));
	ASSERT_OK(t, ktstr_proc_wait_ready(t, strong, SECS(5)));
	/* Nobody may trace what has more rights, so the other target is without this one too. */
	ASSERT_EQ(t, prctl(PR_CAPBSET_DROP, CAP_SYS_PTRACE, 0, 0, 0), 0);
	ASSERT_OK(t, ktstr_payload_spawn(t, &worker, KTSTR_ARGS("16777216"), &weak));
	ASSERT_OK(t, ktstr_proc_wait_ready(t, weak, SECS(5)));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ASSERT_OK(t, put(SCOPE, rows[i].scope));
		ktstr_note(t, "ptrace_scope %s", rows[i].scope);
		EXPECT_EQ(t, tag_in_child(ktstr_proc_pid(strong), true), rows[i].with);
		EXPECT_EQ(t, tag_in_child(ktstr_proc_pid(weak), false), rows[i].without);
	}
	EXPECT_OK(t, ktstr_proc_kill(t, strong));
	EXPECT_OK(t, ktstr_proc_kill(t, weak));
}

static int look_around(void)
{
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;
	const struct ktstr_ctprof_thread *self, *parent;
	const char *own, *other;

	if (put(CGROUP "/inner/cgroup.procs", "0") < 0 || unshare(CLONE_NEWCGROUP) < 0)
		return NO_NAMESPACE;
	snap = capture(0);
	if (!snap)
		return NO_SNAPSHOT;
	self = ktstr_ctprof_find(snap, (uint32_t)getpid(), (uint32_t)getpid());
	parent = ktstr_ctprof_find(snap, (uint32_t)getppid(), (uint32_t)getppid());
	if (!self || !parent)
		return NO_THREAD;
	own = self->texts[KTSTR_CTPROF_TEXT_CGROUP];
	other = parent->texts[KTSTR_CTPROF_TEXT_CGROUP];
	if (!own || strcmp(own, "/"))
		return WRONG_OWN;
	if (!other || strncmp(other, "/..", 3))
		return WRONG_OTHER;
	return 0;
}

static void cgroup_namespace(struct ktstr *t)
{
	int status = -1;
	pid_t pid;

	ASSERT_TRUE(t, mkdir(CGROUP, 0755) == 0);
	ASSERT_TRUE(t, mkdir(CGROUP "/inner", 0755) == 0);
	pid = fork();
	if (pid == 0)
		_exit(look_around());
	ASSERT_EQ(t, waitpid(pid, &status, 0), pid);
	ASSERT_TRUE(t, WIFEXITED(status));
	EXPECT_EQ(t, WEXITSTATUS(status), 0);
}

KTSTR_TEST(ctprof_obeys_yama) = {
	.about = "each of yama's scopes opens or closes jemalloc counters, and nothing else",
	.topology = { .nodes = 1, .llcs = 1, .cores_per_llc = 2, .threads_per_core = 1 },
	.payloads = { &worker },
	.kernel_args = "lsm=yama",
	.run = yama_scopes,
};

KTSTR_TEST(ctprof_in_a_cgroup_namespace) = {
	.about = "paths are as the capturing process sees them",
	.topology = { .nodes = 1, .llcs = 1, .cores_per_llc = 2, .threads_per_core = 1 },
	.run = cgroup_namespace,
};

KTSTR_MAIN
