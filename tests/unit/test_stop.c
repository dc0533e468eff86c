// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "ctprof/stop.h"
#include "tests/lib/process.h"

enum { CAUGHT = 3, QUEUED = 50, ATTEMPTS = 3000, HOG_MS = 600 };

/* Shared with the child. */
static struct shared {
	volatile int ready;
	volatile int sent, received, last, enough;
	volatile uint64_t thread_pointer;
} * shared;

static int map_shared(void **state)
{
	(void)state;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	return shared == MAP_FAILED;
}

static int clear_shared(void **state)
{
	(void)state;
	memset(shared, 0, sizeof(*shared));
	return 0;
}

static void count(int signal)
{
	if (signal == SIGRTMIN)
		shared->received++;
	else
		shared->last = 1;
}

static void become_target(void)
{
	struct sigaction action = { .sa_handler = count, .sa_flags = SA_RESTART };
	uint64_t tp;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	__asm__("mov %%fs:0, %0" : "=r"(tp));
	shared->thread_pointer = tp;
	/* Neither handler on top of the other, so that signals count in the order of arrival. */
	sigaddset(&action.sa_mask, SIGRTMIN);
	sigaddset(&action.sa_mask, SIGRTMIN + 1);
	sigaction(SIGRTMIN, &action, NULL);
	sigaction(SIGRTMIN + 1, &action, NULL);
	shared->ready = 1;
	for (;;)
		sched_yield();
}

static pid_t start_target(void)
{
	pid_t pid = fork();

	if (pid == 0)
		become_target();
	while (!shared->ready)
		sched_yield();
	return pid;
}

static void end_target(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void need(enum ktstr_jemalloc_tag tag)
{
	if (tag != KTSTR_JEMALLOC_PTRACE_REFUSED)
		return;
	assert_false(process_may_trace());
	print_message("needs ptrace: run as root, or sysctl kernel.yama.ptrace_scope=0\n");
	skip();
}

static void the_thread_pointer_is_its_own(void **state)
{
	pid_t pid = start_target();
	struct stop stop;
	enum ktstr_jemalloc_tag tag = stop_thread((uint32_t)pid, (uint32_t)pid, &stop);

	(void)state;
	need(tag);
	assert_int_equal(tag, KTSTR_JEMALLOC_OK);
	/* On x86-64 the word at the thread pointer is the thread pointer. */
	assert_true(stop.thread_pointer == shared->thread_pointer);
	assert_int_equal(stop.signal, 0);
	assert_true(stop_release(&stop) > 0);
	assert_int_equal(stop_release(&stop), 0);
	end_target(pid);
}

static pid_t start_sender(pid_t target)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (!shared->enough) {
		if (shared->sent - shared->received < QUEUED &&
		    sigqueue(target, SIGRTMIN, (union sigval){ 0 }) == 0)
			shared->sent++;
		else
			sched_yield();
	}
	_exit(0);
}

struct attempt {
	pid_t pid;
	enum ktstr_jemalloc_tag tag;
	int signal;
};

static void *stop_once(void *arg)
{
	struct attempt *a = arg;
	struct stop stop;

	a->tag = stop_thread((uint32_t)a->pid, (uint32_t)a->pid, &stop);
	if (a->tag == KTSTR_JEMALLOC_OK) {
		a->signal = stop.signal;
		stop_release(&stop);
	}
	return NULL;
}

/* A thread may stop for a signal on its way instead of for us; it must still get it. */
static void no_signal_is_lost(void **state)
{
	pid_t pid = start_target(), sender = start_sender(pid);
	int with_signal = 0;

	(void)state;
	while (with_signal < CAUGHT) {
		struct attempt a = { .pid = pid };
		pthread_t thread;

		/* On a busy machine it may not stop in time; then the thread's end lets it go. */
		assert_int_equal(pthread_create(&thread, NULL, stop_once, &a), 0);
		assert_int_equal(pthread_join(thread, NULL), 0);
		need(a.tag);
		assert_true(a.tag == KTSTR_JEMALLOC_OK || a.tag == KTSTR_JEMALLOC_STOP_TIMEOUT);
		with_signal += a.signal == SIGRTMIN;
	}
	shared->enough = 1;
	assert_int_equal(waitpid(sender, NULL, 0), sender);
	/* Signals of one kind arrive in order, so a last one of another kind ends the wait. */
	kill(pid, SIGRTMIN + 1);
	while (!shared->last)
		assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	assert_int_equal(shared->received, shared->sent);
	end_target(pid);
}

static void a_thread_that_ended_is_gone(void **state)
{
	struct stop stop;
	pid_t pid = fork();
	siginfo_t info;

	(void)state;
	if (pid == 0)
		_exit(0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	/* A zombie, which the kernel refuses like a foreign process. */
	assert_int_equal(stop_thread((uint32_t)pid, (uint32_t)pid, &stop),
			 KTSTR_JEMALLOC_THREAD_GONE);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(stop_thread((uint32_t)pid, (uint32_t)pid, &stop),
			 KTSTR_JEMALLOC_THREAD_GONE);
}

static void *stop_and_forget(void *arg)
{
	static struct stop stop;
	pid_t pid = *(pid_t *)arg;

	return (void *)(uintptr_t)(stop_thread((uint32_t)pid, (uint32_t)pid, &stop));
}

/* Whatever the tracing thread forgets, its end undoes. */
static void the_end_of_the_tracer_releases(void **state)
{
	pid_t pid = start_target();
	pthread_t thread;
	void *tag;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, stop_and_forget, &pid), 0);
	assert_int_equal(pthread_join(thread, &tag), 0);
	need((enum ktstr_jemalloc_tag)(uintptr_t)tag);
	assert_int_equal((uintptr_t)tag, KTSTR_JEMALLOC_OK);
	kill(pid, SIGRTMIN);
	while (!shared->received)
		assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	end_target(pid);
}

/* The parent of a vfork() waits where no signal reaches it, until its child is done. */
static void become_unstoppable(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (vfork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		shared->ready = 1;
		for (;;)
			pause();
	}
	_exit(1);
}

static bool is_traced(pid_t pid)
{
	static const char key[] = "TracerPid:\t";
	char path[64], text[4096];
	const char *tracer;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	assert_true(n > 0);
	text[n] = '\0';
	tracer = strstr(text, key);
	assert_non_null(tracer);
	return tracer[strlen(key)] != '0';
}

static void a_thread_that_cannot_stop_is_given_up(void **state)
{
	struct attempt a = { .pid = fork() };
	pthread_t thread;

	(void)state;
	if (a.pid == 0)
		become_unstoppable();
	while (!shared->ready)
		sched_yield();
	assert_int_equal(pthread_create(&thread, NULL, stop_once, &a), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	need(a.tag);
	assert_int_equal(a.tag, KTSTR_JEMALLOC_STOP_TIMEOUT);
	/* A thread can be joined a moment before the kernel lets go of what it traced. */
	while (is_traced(a.pid))
		sched_yield();
	end_target(a.pid);
}

/* Takes a CPU for itself.  Return: -1: it may not. */
static pid_t start_hog(int cpu)
{
	const struct sched_param param = { .sched_priority = 1 };
	pid_t pid = fork();
	cpu_set_t set;
	uint64_t end;

	while (pid > 0 && !shared->enough)
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return -1;
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0 ||
	    sched_setscheduler(0, SCHED_FIFO, &param) < 0)
		_exit(1);
	end = clock_mono_ns() + HOG_MS * NSEC_PER_MSEC;
	shared->enough = 1;
	while (clock_mono_ns() < end)
		;
	_exit(0);
}

/* One of our CPUs is for @pid, the others for us.  Return: which; -1: it cannot be. */
static int leave_one_to(pid_t pid, const cpu_set_t *all)
{
	cpu_set_t others, one;
	int cpu = 0;

	while (cpu < CPU_SETSIZE && !CPU_ISSET(cpu, all))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	CPU_XOR(&others, all, &one);
	return CPU_COUNT(&others) > 0 && sched_setaffinity(0, sizeof(others), &others) == 0 &&
			       sched_setaffinity(pid, sizeof(one), &one) == 0
		       ? cpu
		       : -1;
}

/* On a busy machine that can take longer than a disk may. */
static void a_thread_that_lacks_a_cpu_is_waited_for(void **state)
{
	struct attempt a = { .pid = start_target() };
	cpu_set_t before;
	pthread_t thread;
	pid_t hog = -1;
	int cpu;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	cpu = leave_one_to(a.pid, &before);
	if (cpu >= 0)
		hog = start_hog(cpu);
	if (hog < 0) {
		print_message("needs two CPUs and SCHED_FIFO: run as root\n");
		end_target(a.pid);
		skip();
	}
	assert_int_equal(pthread_create(&thread, NULL, stop_once, &a), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
	assert_int_equal(waitpid(hog, NULL, 0), hog);
	end_target(a.pid);
	need(a.tag);
	assert_int_equal(a.tag, KTSTR_JEMALLOC_OK);
}

/* As another capture does, over and over. */
static pid_t start_tracer(pid_t target)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (!shared->enough) {
		if (ptrace(PTRACE_SEIZE, target, NULL, NULL) < 0)
			continue;
		if (ptrace(PTRACE_INTERRUPT, target, NULL, NULL) < 0 ||
		    waitpid(target, NULL, __WALL) != target)
			_exit(1);
		shared->sent++;
		ptrace(PTRACE_DETACH, target, NULL, NULL);
	}
	_exit(0);
}

static void another_tracer_is_no_lack_of_rights(void **state)
{
	pid_t pid = start_target(), tracer;
	int seen[KTSTR_JEMALLOC_NR_TAGS] = { 0 }, nr = 0;

	(void)state;
	if (!process_may_trace()) {
		print_message("needs ptrace: run as root, or sysctl kernel.yama.ptrace_scope=0\n");
		end_target(pid);
		skip();
	}
	tracer = start_tracer(pid);
	while (!shared->sent)
		assert_int_equal(waitpid(tracer, NULL, WNOHANG), 0);
	/* On a busy machine the other one is at it nearly always. */
	for (; nr < ATTEMPTS || (!seen[KTSTR_JEMALLOC_OK] && nr < 100 * ATTEMPTS); nr++) {
		struct stop stop;
		enum ktstr_jemalloc_tag tag = stop_thread((uint32_t)pid, (uint32_t)pid, &stop);

		seen[tag]++;
		if (tag == KTSTR_JEMALLOC_OK)
			stop_release(&stop);
	}
	shared->enough = 1;
	assert_int_equal(waitpid(tracer, NULL, 0), tracer);
	assert_int_equal(seen[KTSTR_JEMALLOC_PTRACE_REFUSED], 0);
	assert_int_equal(seen[KTSTR_JEMALLOC_OK] + seen[KTSTR_JEMALLOC_PTRACE_BUSY], nr);
	assert_true(seen[KTSTR_JEMALLOC_OK] > 0);
	end_target(pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_thread_pointer_is_its_own, clear_shared),
		cmocka_unit_test_setup(no_signal_is_lost, clear_shared),
		cmocka_unit_test_setup(a_thread_that_ended_is_gone, clear_shared),
		cmocka_unit_test_setup(a_thread_that_cannot_stop_is_given_up, clear_shared),
		cmocka_unit_test_setup(the_end_of_the_tracer_releases, clear_shared),
		cmocka_unit_test_setup(a_thread_that_lacks_a_cpu_is_waited_for, clear_shared),
		cmocka_unit_test_setup(another_tracer_is_no_lack_of_rights, clear_shared),
	};

	return cmocka_run_group_tests(tests, map_shared, NULL);
}
