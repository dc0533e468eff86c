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

enum { YIELD_NS = 200000, NAP_NS = 50000, NAP_MAX_NS = 1000000 };

/* Why the kernel said EPERM: it says so of threads that are just ending or traced as well. */
static enum ktstr_jemalloc_tag refusal(uint32_t tgid, uint32_t tid)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	const char *state, *tracer;
	char path[64];
	int r;

	snprintf(path, sizeof(path), "/proc/%u/task/%u/status", tgid, tid);
	r = io_read_file_at(AT_FDCWD, path, &text);
	if (r == -ENOENT || r == -ESRCH)
		return KTSTR_JEMALLOC_THREAD_GONE;
	state = strstr(strbuf_str(&text), "\nState:\t");
	if (state && (state[8] == 'Z' || state[8] == 'X'))
		return KTSTR_JEMALLOC_THREAD_GONE;
	tracer = strstr(strbuf_str(&text), "\nTracerPid:\t");
	return tracer && tracer[12] != '0' ? KTSTR_JEMALLOC_PTRACE_BUSY
					   : KTSTR_JEMALLOC_PTRACE_REFUSED;
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
		if (waited > STOP_TIMEOUT_MS * NSEC_PER_MSEC)
			return KTSTR_JEMALLOC_STOP_TIMEOUT;
		nap(waited);
	}
}

enum ktstr_jemalloc_tag stop_thread(uint32_t tgid, uint32_t tid, struct stop *ret_stop)
{
	struct stop stop = { .tid = (pid_t)tid };
	enum ktstr_jemalloc_tag tag;

	if (ptrace(PTRACE_SEIZE, stop.tid, NULL, NULL) < 0)
		return errno == ESRCH ? KTSTR_JEMALLOC_THREAD_GONE : refusal(tgid, tid);
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
