// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Idle threads to be captured: the population of the figures of ctprof.
 *
 * usage: ctprof_population PROCESSES THREADS
 * Starts PROCESSES processes of THREADS threads each, says "ready PID", PID being the first of
 * them, and holds them until standard input ends.  Each thread has allocated something once.
 * Exit status 1: some could not be made.
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

enum { STACK_BYTES = 32 << 10, THREADS_MAX = 1 << 20, TOUCHED_BYTES = 256 };

static void *live(void *arg)
{
	volatile char *bytes = malloc(TOUCHED_BYTES);

	if (bytes)
		*bytes = 1;
	prctl(PR_SET_NAME, "ctprof-pop");
	while (pause() < 0)
		;
	return arg;
}

/* Says how it went with one byte. */
static _Noreturn void be_process(unsigned long threads, int fd)
{
	pthread_attr_t attr;
	pthread_t thread;
	int r = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	for (unsigned long i = 1; i < threads && r == 0; i++)
		r = pthread_create(&thread, &attr, live, NULL);
	if (r)
		fprintf(stderr, "ctprof_population: create a thread: %s\n", strerror(r));
	if (write(fd, r ? "n" : "y", 1) == 1 && r == 0)
		live(NULL);
	_exit(1);
}

static int start(unsigned long processes, unsigned long threads, pid_t *pids)
{
	int fds[2];
	char c;

	if (pipe(fds) < 0)
		return -errno;
	for (unsigned long i = 0; i < processes; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			return -errno;
		if (pids[i] == 0) {
			close(fds[0]);
			be_process(threads, fds[1]);
		}
	}
	close(fds[1]);
	for (unsigned long i = 0; i < processes; i++)
		if (read(fds[0], &c, 1) != 1 || c != 'y')
			return -ECHILD;
	close(fds[0]);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned long processes = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
	unsigned long threads = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	pid_t *pids;
	char c;
	int r;

	if (!processes || !threads || threads > THREADS_MAX || processes > THREADS_MAX / threads) {
		fprintf(stderr, "usage: ctprof_population PROCESSES THREADS\n");
		return 2;
	}
	pids = calloc(processes, sizeof(*pids));
	r = pids ? start(processes, threads, pids) : -ENOMEM;
	if (r < 0)
		fprintf(stderr, "ctprof_population: %s\n", strerror(-r));
	else if (printf("ready %d\n", pids[0]) > 0 && fflush(stdout) == 0)
		while (read(STDIN_FILENO, &c, 1) > 0)
			;
	for (unsigned long i = 0; pids && i < processes && pids[i] > 0; i++)
		kill(pids[i], SIGKILL);
	while (wait(NULL) > 0)
		;
	free(pids);
	return r < 0;
}
