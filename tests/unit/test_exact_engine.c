// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "vm/exact_engine.h"

enum { YEAR_2026 = 1767225600, ROUNDS = 5 };

/* This program once more, as one that asks for the time. */
static int tell(void)
{
	for (int i = 0; i < 3; i++) {
		struct timeval tv;

		if (gettimeofday(&tv, NULL) != 0 || tv.tv_sec != YEAR_2026 + i || tv.tv_usec != 0)
			return 1;
	}
	return 0;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static atomic_int busy, looked;
static int event_fd;
static int served;
static bool until_looked; /* the CPUs run until the main loop went on; else for a while */

/* Rings the main loop in the middle of its work, as the CPUs' thread does. */
static void *run_cpus(void *unused)
{
	pthread_setname_np(pthread_self(), "ALL CPUs/TCG");
	pthread_mutex_lock(&lock);
	for (int round = 1; round <= ROUNDS; round++) {
		atomic_store(&busy, 1);
		pthread_mutex_unlock(&lock);
		if (write(event_fd, &(uint64_t){ 1 }, sizeof(uint64_t)) < 0)
			return unused;
		if (!until_looked)
			nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
		while (until_looked && atomic_load(&looked) < round)
			sched_yield();
		pthread_mutex_lock(&lock);
		atomic_store(&busy, 0);
		while (served < round)
			pthread_cond_wait(&wake, &lock);
	}
	pthread_mutex_unlock(&lock);
	return unused;
}

/* As the main loop: rounds in which it went on although the CPUs were running. */
static int count_overlaps(int fd)
{
	struct pollfd poll = { .fd = fd, .events = POLLIN };
	pthread_t thread;
	int overlaps = 0;
	uint64_t count;

	if (pthread_create(&thread, NULL, run_cpus, NULL) != 0)
		return -1;
	for (int i = 0; i < ROUNDS; i++) {
		if (ppoll(&poll, 1, NULL, NULL) != 1 || read(fd, &count, sizeof(count)) < 1)
			return -1;
		overlaps += atomic_load(&busy);
		atomic_store(&looked, i + 1);
		pthread_mutex_lock(&lock);
		served++;
		pthread_cond_signal(&wake);
		pthread_mutex_unlock(&lock);
	}
	pthread_join(thread, NULL);
	return overlaps;
}

static int take_turns(void)
{
	event_fd = eventfd(0, EFD_CLOEXEC);
	return event_fd < 0 ? -1 : count_overlaps(event_fd);
}

static int ask_by_socket(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	event_fd = pair[1];
	return count_overlaps(pair[0]);
}

/* Has waited once, and then wants the lock while the main loop holds it. */
static void *want_lock(void *unused)
{
	pthread_setname_np(pthread_self(), "ALL CPUs/TCG");
	pthread_mutex_lock(&lock);
	atomic_store(&busy, 1);
	while (!served)
		pthread_cond_wait(&wake, &lock);
	pthread_mutex_unlock(&lock);
	atomic_store(&busy, 2);
	while (atomic_load(&busy) != 3)
		sched_yield();
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	return unused;
}

/* As the main loop at the machine's end.  Return: 0, or never. */
static int poll_with_lock(void)
{
	struct pollfd poll = { .fd = eventfd(1, EFD_CLOEXEC), .events = POLLIN };
	pthread_t thread;
	int ready;

	if (poll.fd < 0 || pthread_create(&thread, NULL, want_lock, NULL) != 0)
		return 1;
	while (atomic_load(&busy) != 1)
		sched_yield();
	pthread_mutex_lock(&lock);
	served = 1;
	pthread_cond_signal(&wake);
	pthread_mutex_unlock(&lock);
	while (atomic_load(&busy) != 2)
		sched_yield();
	pthread_mutex_lock(&lock);
	atomic_store(&busy, 3);
	ready = ppoll(&poll, 1, NULL, NULL);
	pthread_mutex_unlock(&lock);
	pthread_join(thread, NULL);
	close(poll.fd);
	return ready != 1;
}

static void *ring_and_lock(void *unused)
{
	pthread_setname_np(pthread_self(), "ALL CPUs/TCG");
	if (write(event_fd, &(uint64_t){ 1 }, sizeof(uint64_t)) < 0)
		return unused;
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	return &event_fd;
}

/* The main loop polls with the lock in its hands, which the CPUs then wait for. */
static int poll_locked(void)
{
	struct pollfd poll = { .events = POLLIN };
	pthread_t thread;
	void *rang = NULL;
	int r;

	event_fd = eventfd(0, EFD_CLOEXEC);
	poll.fd = event_fd;
	pthread_mutex_lock(&lock);
	if (pthread_create(&thread, NULL, ring_and_lock, NULL) != 0)
		return -1;
	r = ppoll(&poll, 1, NULL, NULL);
	pthread_mutex_unlock(&lock);
	pthread_join(thread, &rang);
	return r == 1 && rang ? 0 : 1;
}

static int run_with(char **env, const char *what)
{
	char *argv[] = { (char[]){ "test" }, (char *)what, NULL };
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execve("/proc/self/exe", argv, env);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void a_program_that_has_it_sees_a_second_pass(void **state)
{
	extern char **environ;
	char **env;
	int fd;

	(void)state;
	/* Sanitizers want to be loaded first. */
	setenv("ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=0", 1);
	fd = exact_engine_open(NULL);
	assert_true(fd > STDERR_FILENO);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(fcntl(fd, F_SETFD, 0), 0);
	env = exact_engine_environment(fd);
	assert_non_null(env);
	assert_int_equal(run_with(environ, "tell"), 1);
	assert_int_equal(run_with(env, "tell"), 0);
	free(env);
	close(fd);
}

static void main_loop_and_cpus_take_turns(void **state)
{
	extern char **environ;
	int fd = exact_engine_open(NULL);
	char **env;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_SETFD, 0), 0);
	env = exact_engine_environment(fd);
	assert_non_null(env);
	/* Where it is not held up it goes on however long the CPUs run: they wait for it.  How often it
	 * does while they run for a while only, nobody can say of a busy machine. */
	assert_int_equal(run_with(environ, "free"), ROUNDS);
	assert_int_equal(run_with(env, "turns"), 0);
	assert_int_equal(run_with(env, "socket"), ROUNDS);
	assert_int_equal(run_with(env, "locked"), 0);
	assert_int_equal(run_with(env, "end"), 0);
	free(env);
	close(fd);
}

static void nothing_else_is_preloaded(void **state)
{
	char **env;
	int nr = 0, kept = 0;

	(void)state;
	setenv("LD_PRELOAD", "/nowhere/other.so", 1);
	setenv("LD_PRELOADS", "kept", 1);
	env = exact_engine_environment(7);
	unsetenv("LD_PRELOAD");
	assert_non_null(env);
	assert_string_equal(env[0], "LD_PRELOAD=/proc/self/fd/7");
	for (char **p = env; *p; p++) {
		nr += strncmp(*p, "LD_PRELOAD=", 11) == 0;
		kept += strcmp(*p, "LD_PRELOADS=kept") == 0;
	}
	assert_int_equal(nr, 1);
	assert_int_equal(kept, 1);
	free(env);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_that_has_it_sees_a_second_pass),
		cmocka_unit_test(main_loop_and_cpus_take_turns),
		cmocka_unit_test(nothing_else_is_preloaded),
	};

	if (argc > 1 && !strcmp(argv[1], "end"))
		return poll_with_lock();
	if (argc > 1 && !strcmp(argv[1], "tell"))
		return tell();
	until_looked = argc > 1 && (!strcmp(argv[1], "free") || !strcmp(argv[1], "socket"));
	if (argc > 1 && (!strcmp(argv[1], "turns") || !strcmp(argv[1], "free")))
		return take_turns();
	if (argc > 1 && !strcmp(argv[1], "socket"))
		return ask_by_socket();
	if (argc > 1 && !strcmp(argv[1], "locked"))
		return poll_locked();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
