// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof/stop.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"

enum { YIELD_NS = 200000, NAP_NS = 50000, NAP_MAX_NS = 1000000, ATTACH_TRIES = 4 };

/* The kernel asks the same before it reads memory, whoever traces the thread. */
static bool has_right(uint32_t tid)
{
	char byte;
	struct iovec local = { &byte, 1 }, nowhere = { (void *)1, 1 };

	return process_vm_readv((pid_t)tid, &local, 1, &nowhere, 1, 0) >= 0 ||
	       (errno != EPERM && errno != ENOSYS);
}

static const char *status_value(const struct strbuf *text, const char *key)
{
	const char *at = strstr(strbuf_str(text), key);

	return at ? at + strlen(key) : "";
}

/* Why the kernel said EPERM: it says so of threads that are just ending or traced as well.  Of two
 * captures the other may have let go by now.  Return: OK: nothing stands in the way any more. */
static enum ktstr_jemalloc_tag refusal(uint32_t tgid, uint32_t tid)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	char path[64], state, tracer;
	int r;

	snprintf(path, sizeof(path), "/proc/%u/task/%u/status", tgid, tid);
	r = io_read_file_at(AT_FDCWD, path, &text);
	if (r == -ENOENT || r == -ESRCH)
		return KTSTR_JEMALLOC_THREAD_GONE;
	state = *status_value(&text, "\nState:\t");
	if (state == 'Z' || state == 'X')
		return KTSTR_JEMALLOC_THREAD_GONE;
	tracer = *status_value(&text, "\nTracerPid:\t");
	if (tracer && tracer != '0')
		return KTSTR_JEMALLOC_PTRACE_BUSY;
	return has_right(tid) ? KTSTR_JEMALLOC_OK : KTSTR_JEMALLOC_PTRACE_REFUSED;
}

static enum ktstr_jemalloc_tag seize(uint32_t tgid, uint32_t tid)
{
	enum ktstr_jemalloc_tag tag;

	for (unsigned int i = 0; i < ATTACH_TRIES; i++) {
		if (ptrace(PTRACE_SEIZE, (pid_t)tid, NULL, NULL) == 0)
			return KTSTR_JEMALLOC_OK;
		if (errno == ESRCH)
			return KTSTR_JEMALLOC_THREAD_GONE;
		tag = refusal(tgid, tid);
		if (tag != KTSTR_JEMALLOC_OK)
			return tag;
		sched_yield();
	}
	/* With that right, only a tracer can have been there each time. */
	return KTSTR_JEMALLOC_PTRACE_BUSY;
}

static bool read_thread_pointer(pid_t tid, uint64_t *ret_value)
{
	struct user_regs_struct regs;
	struct iovec iov = { &regs, sizeof(regs) };

	if (ptrace(PTRACE_GETREGSET, tid, (void *)NT_PRSTATUS, &iov) < 0 ||
	    iov.iov_len != sizeof(regs))
		return false;
	*ret_value = regs.fs_base;
	return true;
}

/* The signal it must get when it goes on, if what stopped it was a signal on its way. */
static int pending_signal(pid_t tid)
{
	siginfo_t info;

	/* An event stands above the low byte; codes of signals sent by programs are negative. */
	if (ptrace(PTRACE_GETSIGINFO, tid, NULL, &info) < 0 || info.si_code > 0xff)
		return 0;
	return info.si_signo;
}

static void nap(uint64_t waited_ns)
{
	uint64_t ns = waited_ns / 4;

	if (waited_ns < YIELD_NS) {
		sched_yield();
		return;
	}
	ns = ns < NAP_NS ? NAP_NS : ns > NAP_MAX_NS ? NAP_MAX_NS : ns;
	nanosleep(&(struct timespec){ .tv_nsec = (long)ns }, NULL);
}

/* It stops where it gets a CPU; only one that sleeps past signals may never. */
static bool is_runnable(pid_t tid)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	return io_read_file_at(AT_FDCWD, path, &text) == 0 &&
	       *status_value(&text, "\nState:\t") == 'R';
}

static bool is_too_late(const struct stop *stop, uint64_t waited_ns)
{
	if (waited_ns <= STOP_TIMEOUT_MS * NSEC_PER_MSEC)
		return false;
	return waited_ns > STOP_RUNNABLE_MS * NSEC_PER_MSEC || !is_runnable(stop->tid);
}

static enum ktstr_jemalloc_tag await_stop(struct stop *stop)
{
	for (;;) {
		uint64_t waited = clock_mono_ns() - stop->since_ns;
		int status;
		pid_t pid = waitpid(stop->tid, &status, __WALL | WNOHANG | __WNOTHREAD);

		if (pid == stop->tid && !WIFSTOPPED(status))
			return KTSTR_JEMALLOC_THREAD_GONE;
		if (pid < 0 && errno == ECHILD)
			return KTSTR_JEMALLOC_THREAD_GONE;
		/* Registers can be read of a stopped thread only, so this is the proof. */
		if (read_thread_pointer(stop->tid, &stop->thread_pointer)) {
			stop->signal = pending_signal(stop->tid);
			return KTSTR_JEMALLOC_OK;
		}
		if (is_too_late(stop, waited))
			return KTSTR_JEMALLOC_STOP_TIMEOUT;
		nap(waited);
	}
}

enum ktstr_jemalloc_tag stop_thread(uint32_t tgid, uint32_t tid, struct stop *ret_stop)
{
	struct stop stop = { .tid = (pid_t)tid };
	enum ktstr_jemalloc_tag tag;

	tag = seize(tgid, tid);
	if (tag != KTSTR_JEMALLOC_OK)
		return tag;
	stop.since_ns = clock_mono_ns();
	if (ptrace(PTRACE_INTERRUPT, stop.tid, NULL, NULL) < 0)
		return KTSTR_JEMALLOC_THREAD_GONE;
	tag = await_stop(&stop);
	if (tag == KTSTR_JEMALLOC_OK)
		*ret_stop = stop;
	return tag;
}

uint64_t stop_release(struct stop *stop)
{
	uint64_t held_ns = clock_mono_ns() - stop->since_ns;

	if (!stop->tid)
		return 0;
	ptrace(PTRACE_DETACH, stop->tid, NULL, (void *)(intptr_t)stop->signal);
	stop->tid = 0;
	return held_ns;
}
