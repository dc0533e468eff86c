// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Captures of real processes on this machine. */
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
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "tests/lib/payloads.h"
#include "tests/lib/process.h"
#include "tests/lib/scratch.h"
#include <ktstr/ctprof.h>

#define WORKER "ktstr-jemalloc-alloc-worker"

#define ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })

enum { PLANTED = 16 << 20, SLOP = 4 << 20, KTHREADD = 2, NOBODY = 65534 };
/* ROUNDED: what the largest class of sizes adds, and what a thread allocates unasked. */
enum { CROWD = 3000, STEP_BYTES = 64, ROUNDED_PERCENT = 25, UNASKED_BYTES = 4096 };

static struct ktstr_error err;
static enum ktstr_ctprof_collector collector = KTSTR_COLLECTOR_PROCFS;

static void nap_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000 }, NULL);
}

static void start(const char *name, const char *const *args, struct child *child)
{
	_cleanup_free_ char *path = payload_path(name);
	const char *argv[5] = { path };

	for (int i = 0; i < 3 && args && args[i]; i++)
		argv[i + 1] = args[i];
	if (child_start(
		    &(struct child_opts){
			    .argv = argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1 },
		    child, &err) < 0)
		fail_msg("%s", err.text);
}

/* Left by an earlier process of the same number, it says nothing. */
static bool is_made_since(const char *marker, const struct timespec *since)
{
	struct stat st;

	return stat(marker, &st) == 0 &&
	       (st.st_mtim.tv_sec > since->tv_sec ||
		(st.st_mtim.tv_sec == since->tv_sec && st.st_mtim.tv_nsec >= since->tv_nsec));
}

/* Starts a worker and waits for its marker, as long as it lives. */
static pid_t start_ready(const char *name, const char *const *args, struct child *child)
{
	struct timespec before;
	char marker[64];

	/* The clock of files. */
	clock_gettime(CLOCK_REALTIME_COARSE, &before);
	start(name, args, child);
	snprintf(marker, sizeof(marker), "/tmp/ktstr-worker-ready-%d", child->pid);
	while (!is_made_since(marker, &before)) {
		assert_int_equal(child_poll(child), 0);
		nap_ms(1);
	}
	unlink(marker);
	return child->pid;
}

static struct ktstr_ctprof *capture(pid_t pid)
{
	const struct ktstr_ctprof_opts opts = { .pid = pid, .collector = collector };
	struct ktstr_ctprof *snap = NULL;
	int r = ktstr_ctprof_capture(&opts, &snap, &err);

	if (r == -EOPNOTSUPP) {
		print_message("needs BPF: %s\n", err.text);
		skip();
	}
	if (r < 0)
		fail_msg("%s", err.text);
	assert_string_equal(snap->collector, ktstr_ctprof_collector_name(collector));
	return snap;
}

/* Skips where the kernel does not let us look into our own children. */
static void need_ptrace(const struct ktstr_ctprof_thread *t)
{
	if (t->jemalloc != KTSTR_JEMALLOC_PTRACE_REFUSED)
		return;
	assert_false(process_may_trace());
	print_message("needs ptrace: run as root, or sysctl kernel.yama.ptrace_scope=0\n");
	skip();
}

static int64_t value(const struct ktstr_ctprof_thread *t, enum ktstr_ctprof_metric metric)
{
	int64_t v = 0;

	assert_non_null(t);
	if (!ktstr_ctprof_get(t, metric, &v))
		fail_msg("%s of %u is absent, jemalloc tag '%s'",
			 ktstr_ctprof_metric_info(metric)->name, t->tid,
			 ktstr_jemalloc_tag_name(t->jemalloc));
	return v;
}

static const struct ktstr_ctprof_thread *leader(const struct ktstr_ctprof *snap, pid_t pid)
{
	const struct ktstr_ctprof_thread *t = ktstr_ctprof_find(snap, (uint32_t)pid, (uint32_t)pid);

	if (!t)
		fail_msg("leader %d is not among %zu threads", pid, snap->nr_threads);
	need_ptrace(t);
	return t;
}

static void planted_bytes_are_seen(const char *variant)
{
	_cleanup_child_ struct child child = CHILD_INIT;
	pid_t pid = start_ready(variant, (const char *const[]){ "16777216", NULL }, &child);
	_cleanup_ctprof_ struct ktstr_ctprof *snap = capture(0), *alone = capture(pid);
	const struct ktstr_ctprof_thread *t = leader(snap, pid);

	assert_in_range(value(t, KTSTR_CTPROF_ALLOCATED), PLANTED, PLANTED + SLOP);
	assert_in_range(value(t, KTSTR_CTPROF_DEALLOCATED), 0, PLANTED - 1);
	assert_in_range(value(leader(alone, pid), KTSTR_CTPROF_ALLOCATED), PLANTED, PLANTED + SLOP);
	/* Of the whole machine, one that executes meanwhile may be stopped. */
	if (collector == KTSTR_COLLECTOR_BPF)
		assert_int_equal(alone->summary.stops, 0);
	else
		assert_true(alone->summary.stop_max_ns > 0);
}

static void static_with_symbols(void **state)
{
	(void)state;
	planted_bytes_are_seen(WORKER);
}

static void static_without_symbols(void **state)
{
	(void)state;
	planted_bytes_are_seen("jemalloc-worker-stripped");
}

static void shared_library(void **state)
{
	(void)state;
	planted_bytes_are_seen("jemalloc-worker-shared");
}

static void inside_a_dynamic_executable(void **state)
{
	(void)state;
	planted_bytes_are_seen("jemalloc-worker-pie");
}

static void debug_information_gives_exact_values(void **state)
{
	_cleanup_child_ struct child child = CHILD_INIT;
	pid_t pid = start_ready("jemalloc-dwarf-tsd", NULL, &child);
	_cleanup_ctprof_ struct ktstr_ctprof *snap = capture(pid);
	const struct ktstr_ctprof_thread *t = leader(snap, pid), *other;

	(void)state;
	assert_int_equal(snap->nr_threads, 2);
	/* Numbers wrap around, so the leader's need not be the smaller one. */
	other = &snap->threads[snap->threads[0].tid == (uint32_t)pid];
	assert_int_equal(value(t, KTSTR_CTPROF_ALLOCATED), 1000003);
	assert_int_equal(value(t, KTSTR_CTPROF_DEALLOCATED), 4099);
	assert_int_equal(value(other, KTSTR_CTPROF_ALLOCATED), 10000030);
	assert_int_equal(value(other, KTSTR_CTPROF_DEALLOCATED), 40990);
}

static void an_unproven_layout_gives_no_number(void **state)
{
	_cleanup_child_ struct child child = CHILD_INIT;
	pid_t pid = start_ready("jemalloc-dwarf-tsd-stripped", NULL, &child);
	_cleanup_ctprof_ struct ktstr_ctprof *snap = capture(pid);
	char text[256];

	(void)state;
	for (size_t i = 0; i < snap->nr_threads; i++) {
		assert_int_equal(snap->threads[i].jemalloc, KTSTR_JEMALLOC_NO_OFFSETS);
		assert_false(ktstr_ctprof_get(&snap->threads[i], KTSTR_CTPROF_ALLOCATED,
					      &(int64_t){ 0 }));
	}
	assert_int_equal(ktstr_ctprof_jemalloc_remedy(&snap->summary, text, sizeof(text)), 2);
	assert_non_null(strstr(text, "no-offsets; install the debug information"));
}

static void churn_costs_neither_leader_nor_snapshot(void **state)
{
	_cleanup_child_ struct child child = CHILD_INIT;
	pid_t pid =
		start_ready(WORKER, (const char *const[]){ "--churn", "1048576", NULL }, &child);
	int64_t last = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		_cleanup_ctprof_ struct ktstr_ctprof *snap = capture(pid);
		const struct ktstr_ctprof_thread *t = leader(snap, pid);
		int64_t now;

		/* In the middle of an update there is no number; never a wrong one. */
		if (!ktstr_ctprof_get(t, KTSTR_CTPROF_ALLOCATED, &now)) {
			assert_int_equal(t->jemalloc, KTSTR_JEMALLOC_IMPLAUSIBLE);
			continue;
		}
		assert_true(now >= 1 << 20);
		assert_true(now >= last);
		last = now;
	}
	assert_true(last > 0);
	assert_int_equal(child_poll(&child), 0);
}

/* Thread data of another thread would show another number. */
static void check_own_bytes(const struct ktstr_ctprof_thread *t, unsigned int i)
{
	int64_t asked = i % 3 ? (int64_t)STEP_BYTES * i : 0, allocated = 0;

	if (!ktstr_ctprof_get(t, KTSTR_CTPROF_ALLOCATED, &allocated))
		fail_msg("crowd-%u has no number: '%s'", i, ktstr_jemalloc_tag_name(t->jemalloc));
	if (allocated < asked || allocated > asked + asked * ROUNDED_PERCENT / 100 + UNASKED_BYTES)
		fail_msg("crowd-%u asked for %lld bytes and has %lld", i, (long long)asked,
			 (long long)allocated);
}

static void thousands_of_threads_have_their_own(void **state)
{
	_cleanup_child_ struct child crowd = CHILD_INIT;
	pid_t pid = start_ready("jemalloc-crowd", ARGS("3000"), &crowd);
	_cleanup_ctprof_ struct ktstr_ctprof *snap = capture(pid);
	bool seen[CROWD] = { false };
	size_t nr = 0;

	(void)state;
	(void)leader(snap, pid);
	for (size_t k = 0; k < snap->nr_threads; k++) {
		const struct ktstr_ctprof_thread *t = &snap->threads[k];
		unsigned int i;

		if (sscanf(t->texts[KTSTR_CTPROF_TEXT_COMM], "crowd-%u", &i) != 1)
			continue;
		assert_true(i < CROWD && !seen[i]);
		seen[i] = true;
		nr++;
		check_own_bytes(t, i);
	}
	assert_int_equal(nr, CROWD);
	assert_int_equal(snap->nr_threads, CROWD + 1);
	assert_int_equal(snap->summary.stops, collector == KTSTR_COLLECTOR_BPF ? 0 : CROWD + 1);
}

static void kernel_threads_and_self_have_no_counters(void **state)
{
	_cleanup_ctprof_ struct ktstr_ctprof *snap = capture(0);
	const struct ktstr_ctprof_thread *t = ktstr_ctprof_find(snap, KTHREADD, KTHREADD);

	(void)state;
	assert_int_equal(leader(snap, getpid())->jemalloc, KTSTR_JEMALLOC_SELF);
	assert_false(
		ktstr_ctprof_get(leader(snap, getpid()), KTSTR_CTPROF_ALLOCATED, &(int64_t){ 0 }));
	if (!t || strcmp(t->texts[KTSTR_CTPROF_TEXT_COMM], "kthreadd") != 0) {
		print_message("needs kthreadd: not in a pid namespace of its own\n");
		skip();
	}
	assert_int_equal(t->jemalloc, KTSTR_JEMALLOC_KERNEL_THREAD);
	assert_false(ktstr_ctprof_get(t, KTSTR_CTPROF_ALLOCATED, &(int64_t){ 0 }));
	assert_false(ktstr_ctprof_get(t, KTSTR_CTPROF_DEALLOCATED, &(int64_t){ 0 }));
	assert_int_equal(ktstr_ctprof_get_or_zero(t, KTSTR_CTPROF_ALLOCATED), 0);
}

static void counters_never_go_back(void **state)
{
	_cleanup_ctprof_ struct ktstr_ctprof *before = capture(0), *after = capture(0);
	size_t compared = 0;

	(void)state;
	for (size_t i = 0; i < before->nr_threads; i++) {
		const struct ktstr_ctprof_thread *a = &before->threads[i];
		const struct ktstr_ctprof_thread *b = ktstr_ctprof_find(after, a->tgid, a->tid);
		int64_t x, y;

		/* A thread that execs takes its leader's number and birth, not its counters. */
		if (a->tgid != (uint32_t)getpid() && a->jemalloc != KTSTR_JEMALLOC_KERNEL_THREAD)
			continue;
		if (!b || ktstr_ctprof_get_or_zero(a, KTSTR_CTPROF_START_TIME) !=
				  ktstr_ctprof_get_or_zero(b, KTSTR_CTPROF_START_TIME))
			continue;
		for (unsigned int m = 0; m < KTSTR_CTPROF_NR_METRICS; m++) {
			if (ktstr_ctprof_metric_info(m)->type != KTSTR_TYPE_COUNTER ||
			    !ktstr_ctprof_get(a, m, &x) || !ktstr_ctprof_get(b, m, &y))
				continue;
			if (y < x)
				fail_msg("%s of %u went from %lld to %lld",
					 ktstr_ctprof_metric_info(m)->name, a->tid, (long long)x,
					 (long long)y);
			compared++;
		}
	}
	assert_true(compared > 10);
}

/* cat with a library preloaded; once it has echoed a byte, everything is in place. */
static enum ktstr_jemalloc_tag tag_of_preloaded(const char *library)
{
	_cleanup_child_ struct child child = CHILD_INIT;
	_cleanup_free_ char *path = payload_path(library);
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;
	const struct ktstr_ctprof_thread *t;
	int in[2], out[2];
	char preload[4096], c = 'x';

	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", path);
	assert_int_equal(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(child_start(&(struct child_opts){ .argv = ARGS("/bin/cat"),
							   .env = ARGS(preload),
							   .stdin_fd = in[0],
							   .stdout_fd = out[1],
							   .stderr_fd = -1 },
				     &child, &err),
			 0);
	assert_int_equal(write(in[1], &c, 1) + read(out[0], &c, 1), 2);
	snap = capture(child.pid);
	for (int i = 0; i < 2; i++) {
		close(in[i]);
		close(out[i]);
	}
	t = leader(snap, child.pid);
	assert_false(ktstr_ctprof_get(t, KTSTR_CTPROF_ALLOCATED, &(int64_t){ 0 }));
	return t->jemalloc;
}

static void thread_data_out_of_reach_is_tagged(void **state)
{
	(void)state;
	assert_int_equal(tag_of_preloaded("libodd-dynamic-tls.so"), KTSTR_JEMALLOC_DYNAMIC_TLS);
	assert_int_equal(tag_of_preloaded("libodd-no-trace.so"), KTSTR_JEMALLOC_NO_TLS_SYMBOL);
}

/* The smallest 32-bit program: pause() for ever. */
static void a_32_bit_process_is_tagged(void **state)
{
	static const unsigned char elf[] = {
		0x7f, 'E',  'L', 'F', 1,    1,	1, 0, 0,    0,	  0,	0,    0,    0,	  0, 0,
		2,    0,    3,	 0,   1,    0,	0, 0, 0x54, 0x80, 4,	8,    0x34, 0,	  0, 0,
		0,    0,    0,	 0,   0,    0,	0, 0, 0x34, 0,	  0x20, 0,    1,    0,	  0, 0,
		0,    0,    0,	 0,   1,    0,	0, 0, 0,    0,	  0,	0,    0,    0x80, 4, 8,
		0,    0x80, 4,	 8,   0x5d, 0,	0, 0, 0x5d, 0,	  0,	0,    5,    0,	  0, 0,
		0,    0x10, 0,	 0,   0xb8, 29, 0, 0, 0,    0xcd, 0x80, 0xeb, 0xf7,
	};
	_cleanup_child_ struct child child = CHILD_INIT;
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;
	struct scratch s;
	int r;

	(void)state;
	scratch_create(&s);
	r = child_start(&(struct child_opts){ .argv = ARGS(scratch_write(&s, "tiny", elf,
									 sizeof(elf), 0755)),
					      .stdin_fd = -1,
					      .stdout_fd = -1,
					      .stderr_fd = -1 },
			&child, &err);
	scratch_destroy(&s);
	if (r == -ENOEXEC) {
		print_message("needs a kernel with CONFIG_IA32_EMULATION\n");
		skip();
	}
	assert_int_equal(r, 0);
	snap = capture(child.pid);
	assert_int_equal(leader(snap, child.pid)->jemalloc, KTSTR_JEMALLOC_ARCH_MISMATCH);
}

/* Runs the worker to its own end.  Return: its exit code. */
static int exit_code(const char *const *args, const char *const *env)
{
	_cleanup_child_ struct child child = CHILD_INIT;
	_cleanup_free_ char *path = payload_path(WORKER);
	const char *argv[4] = { path };

	for (int i = 0; i < 2 && args[i]; i++)
		argv[i + 1] = args[i];
	assert_int_equal(child_start(&(struct child_opts){ .argv = argv,
							   .env = env,
							   .stdin_fd = -1,
							   .stdout_fd = -1,
							   .stderr_fd = -1 },
				     &child, &err),
			 0);
	assert_int_equal(child_wait(&child, UINT64_MAX), 0);
	assert_int_equal(child.signal, 0);
	return child.exit_code;
}

static void worker_refuses_zero_bytes(void **state)
{
	(void)state;
	assert_int_equal(exit_code(ARGS("0"), NULL), 2);
	assert_int_equal(exit_code(ARGS("--churn", "0"), NULL), 2);
}

static void worker_refuses_a_second_thread(void **state)
{
	(void)state;
	assert_int_equal(exit_code(ARGS("4096"), ARGS("MALLOC_CONF=background_thread:true")), 3);
}

static void worker_reports_a_marker_it_cannot_write(void **state)
{
	const char *const env[] = { "KTSTR_WORKER_READY_MARKER_OVERRIDE=/nonexistent/marker",
				    NULL };

	(void)state;
	assert_int_equal(exit_code(ARGS("4096"), env), 4);
	assert_int_equal(exit_code(ARGS("--churn", "4096"), env), 4);
}

static void worker_reports_bad_bytes(void **state)
{
	(void)state;
	assert_int_equal(exit_code(ARGS("many"), NULL), 5);
	assert_int_equal(exit_code(ARGS("12x"), NULL), 5);
	assert_int_equal(exit_code(ARGS("-1"), NULL), 5);
	assert_int_equal(exit_code(ARGS("99999999999999999999"), NULL), 5);
	assert_int_equal(exit_code((const char *const[]){ NULL }, NULL), 5);
}

static void worker_reports_unreadable_tasks(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		char *path = payload_path(WORKER);

		if (unshare(CLONE_NEWNS) < 0 ||
		    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		    mount("none", "/proc", "tmpfs", 0, NULL) < 0)
			_exit(99);
		execl(path, path, "4096", NULL);
		_exit(98);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 99) {
		print_message("needs a mount namespace: run as root\n");
		skip();
	}
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 6);
}

/* One field of /proc/PID/task/TID/status of the leader, "" if it is not there. */
static void status_field(pid_t pid, const char *name, char *buf, size_t size)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	const char *line;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	assert_int_equal(io_read_file(path, &text, &err), 0);
	line = strstr(strbuf_str(&text), name);
	assert_non_null(line);
	snprintf(buf, size, "%.*s", (int)strcspn(line, "\n"), line);
}

static void a_stopped_process_stays_stopped(void **state)
{
	_cleanup_child_ struct child child = CHILD_INIT;
	pid_t pid = start_ready(WORKER, ARGS("16777216"), &child);
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;
	char text[128];
	siginfo_t info;

	(void)state;
	kill(pid, SIGSTOP);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOWAIT), 0);
	snap = capture(pid);
	assert_true(value(leader(snap, pid), KTSTR_CTPROF_ALLOCATED) >= PLANTED);
	/* It leaves the tracing stop running and stops again; one that went on would sleep. */
	do {
		status_field(pid, "State:", text, sizeof(text));
	} while (strstr(text, "tracing") || strstr(text, "R (running)"));
	assert_non_null(strstr(text, "T (stopped)"));
}

static void a_debugger_is_left_alone(void **state)
{
	_cleanup_child_ struct child child = CHILD_INIT;
	pid_t pid = start_ready(WORKER, ARGS("16777216"), &child);
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;

	(void)state;
	/* A capture by somebody else may have it for a moment. */
	while (ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0) {
		char text[128];

		status_field(pid, "TracerPid:", text, sizeof(text));
		if (!strcmp(text, "TracerPid:\t0") && ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0)
			break;
		if (!strcmp(text, "TracerPid:\t0") && geteuid() != 0) {
			print_message("needs ptrace: run as root\n");
			skip();
		}
	}
	snap = capture(pid);
	assert_int_equal(ktstr_ctprof_find(snap, (uint32_t)pid, (uint32_t)pid)->jemalloc,
			 collector == KTSTR_COLLECTOR_BPF ? KTSTR_JEMALLOC_OK
							  : KTSTR_JEMALLOC_PTRACE_BUSY);
}

/* In a child, as changing the user cannot be undone. */
static int capture_as_nobody(pid_t pid)
{
	struct ktstr_ctprof_opts opts = { .pid = pid };
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;
	const struct ktstr_ctprof_thread *t;
	char text[256];

	if (setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0)
		return 1;
	if (ktstr_ctprof_capture(&opts, &snap, NULL) < 0)
		return 2;
	t = ktstr_ctprof_find(snap, (uint32_t)pid, (uint32_t)pid);
	if (!t || t->jemalloc != KTSTR_JEMALLOC_EXE_UNREADABLE)
		return 3;
	if (!ktstr_ctprof_get_or_zero(t, KTSTR_CTPROF_RUN_TIME) ||
	    ktstr_ctprof_get(t, KTSTR_CTPROF_RCHAR, &(int64_t){ 0 }))
		return 4;
	if (snap->summary.failures[KTSTR_CTPROF_FILE_IO][KTSTR_CTPROF_REASON_PERMISSION] != 1)
		return 5;
	if (ktstr_ctprof_remedy(&snap->summary, text, sizeof(text)) != 3 ||
	    !strstr(text, "permission, most often of 'io'; run as root"))
		return 6;
	return 0;
}

static void without_rights_values_are_absent(void **state)
{
	_cleanup_child_ struct child child = CHILD_INIT;
	pid_t worker, pid;
	int status;

	(void)state;
	if (geteuid() != 0) {
		print_message("needs root, to become somebody with fewer rights\n");
		skip();
	}
	worker = start_ready(WORKER, ARGS("16777216"), &child);
	pid = fork();
	if (pid == 0)
		_exit(capture_as_nobody(worker));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Starts the worker where it has number 1 and mounts of its own.  Never returns. */
static void live_apart(const char *marker, int tell)
{
	char *path = payload_path(WORKER);
	pid_t pid = -1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWPID | CLONE_NEWNS) == 0)
		pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execle(path, path, "--churn", "16777216", NULL,
		       ((char *const[]){ (char *)marker, NULL }));
		_exit(1);
	}
	if (write(tell, &pid, sizeof(pid)) == sizeof(pid))
		waitpid(pid, NULL, 0);
	_exit(0);
}

static void in_other_namespaces(void **state)
{
	_cleanup_ctprof_ struct ktstr_ctprof *snap = NULL;
	char marker[96];
	const char *file;
	int fds[2];
	pid_t holder, pid = -1;

	(void)state;
	snprintf(marker, sizeof(marker), "KTSTR_WORKER_READY_MARKER_OVERRIDE=/tmp/ktstr-apart-%d",
		 getpid());
	file = strchr(marker, '=') + 1;
	unlink(file);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	holder = fork();
	if (holder == 0)
		live_apart(marker, fds[1]);
	assert_int_equal(read(fds[0], &pid, sizeof(pid)), sizeof(pid));
	close(fds[0]);
	close(fds[1]);
	if (pid < 0) {
		print_message("needs namespaces: run as root\n");
		waitpid(holder, NULL, 0);
		skip();
	}
	while (access(file, F_OK) < 0) {
		assert_int_equal(kill(pid, 0), 0);
		nap_ms(1);
	}
	unlink(file);
	snap = capture(0);
	kill(pid, SIGKILL);
	waitpid(holder, NULL, 0);
	assert_true(value(leader(snap, pid), KTSTR_CTPROF_ALLOCATED) >= PLANTED);
}

static int use_bpf(void **state)
{
	(void)state;
	collector = KTSTR_COLLECTOR_BPF;
	return 0;
}

/* Both collectors must see the same. */
#define CAPTURES                                                                                 \
	cmocka_unit_test(static_with_symbols), cmocka_unit_test(static_without_symbols),         \
		cmocka_unit_test(shared_library), cmocka_unit_test(inside_a_dynamic_executable), \
		cmocka_unit_test(debug_information_gives_exact_values),                          \
		cmocka_unit_test(an_unproven_layout_gives_no_number),                            \
		cmocka_unit_test(thread_data_out_of_reach_is_tagged),                            \
		cmocka_unit_test(a_32_bit_process_is_tagged),                                    \
		cmocka_unit_test(churn_costs_neither_leader_nor_snapshot),                       \
		cmocka_unit_test(thousands_of_threads_have_their_own),                           \
		cmocka_unit_test(kernel_threads_and_self_have_no_counters),                      \
		cmocka_unit_test(counters_never_go_back),                                        \
		cmocka_unit_test(a_stopped_process_stays_stopped),                               \
		cmocka_unit_test(in_other_namespaces), cmocka_unit_test(a_debugger_is_left_alone)

int main(void)
{
	const struct CMUnitTest by_procfs[] = {
		CAPTURES,
		cmocka_unit_test(worker_refuses_zero_bytes),
		cmocka_unit_test(worker_refuses_a_second_thread),
		cmocka_unit_test(worker_reports_a_marker_it_cannot_write),
		cmocka_unit_test(worker_reports_bad_bytes),
		cmocka_unit_test(worker_reports_unreadable_tasks),
		cmocka_unit_test(without_rights_values_are_absent),
	};
	const struct CMUnitTest by_bpf[] = { CAPTURES };
	int failed = cmocka_run_group_tests(by_procfs, NULL, NULL);

	return failed + cmocka_run_group_tests(by_bpf, use_bpf, NULL);
}
