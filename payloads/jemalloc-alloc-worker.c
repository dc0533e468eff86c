// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Allocates a known number of bytes with jemalloc on its main thread, says that it is ready, and
 * holds them until it is killed.
 *
 * usage: ktstr-jemalloc-alloc-worker [--churn] BYTES
 *
 * Exit codes: 2 BYTES is 0; 3 more than one thread before the allocation (not with --churn);
 * 4 ready marker not written; 5 BYTES missing or not a number; 6 /proc/self/task unreadable (not
 * with --churn); 7 no memory.  It never ends by itself with 0.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SAY(...) dprintf(STDERR_FILENO, "jemalloc-alloc-worker: " __VA_ARGS__)

enum { ZERO_BYTES = 2, NOT_SINGLE = 3, NO_MARKER = 4, BAD_BYTES = 5, NO_TASKS = 6, NO_MEMORY = 7 };

static bool parse(const char *text, size_t *ret_bytes)
{
	char *end;
	unsigned long long value;

	if (!text || *text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end || value > SIZE_MAX)
		return false;
	*ret_bytes = value;
	return true;
}

static int check_single_threaded(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *de;
	int nr = 0;

	if (!dir) {
		SAY("open /proc/self/task: %s\n", strerror(errno));
		return NO_TASKS;
	}
	while ((de = readdir(dir)))
		nr += de->d_name[0] != '.';
	closedir(dir);
	if (nr == 1)
		return 0;
	SAY("%d threads where 1 was expected; is background_thread set in MALLOC_CONF?\n", nr);
	return NOT_SINGLE;
}

static void touch(unsigned char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i += 4096)
		(void)*(volatile unsigned char *)(bytes + i);
	__asm__ volatile("" : : "r"(bytes), "r"(size) : "memory");
}

static int write_marker(void)
{
	const char *override = getenv("KTSTR_WORKER_READY_MARKER_OVERRIDE");
	static const char text[] = "ready\n";
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/tmp/ktstr-worker-ready-%d", (int)getpid());
	if (!override || !*override)
		override = path;
	fd = open(override, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, text, sizeof(text) - 1) != sizeof(text) - 1) {
		SAY("write ready marker '%s': %s\n", override, strerror(errno));
		return NO_MARKER;
	}
	close(fd);
	return 0;
}

static void *helper(void *arg)
{
	nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
	return arg;
}

__attribute__((noreturn)) static void hold(unsigned char *bytes, size_t size, bool churn)
{
	pthread_t thread;

	for (;;) {
		touch(bytes, size);
		if (!churn)
			nanosleep(&(struct timespec){ .tv_sec = 3600 }, NULL);
		else if (pthread_create(&thread, NULL, helper, NULL) == 0)
			pthread_join(thread, NULL);
	}
}

int main(int argc, char **argv)
{
	const char *text = NULL;
	unsigned char *bytes;
	bool churn = false;
	size_t size;
	int r;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--churn"))
			churn = true;
		else if (!text)
			text = argv[i];
	}
	if (!parse(text, &size)) {
		SAY("BYTES is %s; usage: [--churn] BYTES\n", text ? text : "missing");
		return BAD_BYTES;
	}
	if (!size) {
		SAY("BYTES is 0\n");
		return ZERO_BYTES;
	}
	r = churn ? 0 : check_single_threaded();
	if (r)
		return r;
	bytes = calloc(1, size);
	if (!bytes) {
		SAY("allocate %zu bytes: %s\n", size, strerror(errno));
		return NO_MEMORY;
	}
	touch(bytes, size);
	r = write_marker();
	if (r)
		return r;
	dprintf(STDOUT_FILENO, "jemalloc-alloc-worker ready pid=%d bytes=%zu\n", (int)getpid(),
		size);
	hold(bytes, size, churn);
}
