// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Times captures of one process with a given number of idle threads.
 *
 * usage: bench_capture THREADS RUNS
 * Prints one line per run: threads seen and nanoseconds taken.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ktstr/ctprof.h>

enum { STACK_BYTES = 64 << 10, THREADS_MAX = 100000 };

static void *wait_for_ever(void *arg)
{
	while (pause() < 0)
		;
	return arg;
}

/* Says how it went with one byte, then holds the threads until it is killed. */
static _Noreturn void hold_threads(unsigned long nr, int fd)
{
	pthread_attr_t attr;
	pthread_t thread;
	int r = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	for (unsigned long i = 1; i < nr && r == 0; i++)
		r = pthread_create(&thread, &attr, wait_for_ever, NULL);
	if (r)
		fprintf(stderr, "bench_capture: create a thread: %s\n", strerror(r));
	else if (write(fd, "", 1) == 1)
		wait_for_ever(NULL);
	_exit(1);
}

static pid_t start_threads(unsigned long nr)
{
	int fds[2];
	pid_t pid;
	char c;

	if (pipe(fds) < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		hold_threads(nr, fds[1]);
	}
	close(fds[1]);
	if (pid > 0 && read(fds[0], &c, 1) != 1) {
		waitpid(pid, NULL, 0);
		pid = -ECHILD;
	}
	close(fds[0]);
	return pid;
}

static int capture(pid_t pid, unsigned long wanted)
{
	struct ktstr_ctprof *snapshot = NULL;
	struct ktstr_error err;
	int r = ktstr_ctprof_capture(&(struct ktstr_ctprof_opts){ .pid = pid }, &snapshot, &err);

	if (r < 0) {
		fprintf(stderr, "bench_capture: %s\n", err.text);
		return r;
	}
	if (snapshot->nr_threads != wanted) {
		fprintf(stderr, "bench_capture: %zu threads captured, %lu are there\n",
			snapshot->nr_threads, wanted);
		r = -EIO;
	} else {
		printf("%zu %llu\n", snapshot->nr_threads,
		       (unsigned long long)snapshot->duration_ns);
	}
	ktstr_ctprof_destroy(snapshot);
	return r;
}

int main(int argc, char **argv)
{
	unsigned long nr = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
	unsigned long runs = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	pid_t pid;
	int r = 0;

	if (!nr || nr > THREADS_MAX || !runs) {
		fprintf(stderr, "usage: bench_capture THREADS RUNS\n");
		return KTSTR_EXIT_USAGE;
	}
	pid = start_threads(nr);
	if (pid < 0)
		return KTSTR_EXIT_HARNESS;
	for (unsigned long i = 0; i < runs && r == 0; i++)
		r = capture(pid, nr);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return r < 0 ? KTSTR_EXIT_HARNESS : 0;
}
