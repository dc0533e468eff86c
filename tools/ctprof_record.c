// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Copies files of /proc as this kernel writes them: how tests/data/ctprof was made.
 *
 * usage: ctprof_record FOLDER [CGROUP_ROOT]	(root)
 * Becomes a process of six threads whose names a parser may stumble over, one of them SCHED_RR at
 * priority 10 and one at nice 7, in the cgroup "/load/a b", and copies its own files and those of
 * kthreadd below FOLDER/proc.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { NR_THREADS = 6, KTHREADD = 2, SPIN_MS = 200, TEXT_BYTES = 1 << 16 };

static const char *const names[NR_THREADS] = {
	"a b) R 1 (c", "rt", "nice \\7", "new\nline", "\xff\xfe bytes 1234", "15 bytes: ) S 2"
};

static pthread_barrier_t ready;

static void fail(const char *what)
{
	fprintf(stderr, "ctprof_record: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void spin(void)
{
	struct timespec ts;
	long end;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	end = ts.tv_nsec / 1000000 + SPIN_MS;
	do {
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	} while (ts.tv_sec * 1000 + ts.tv_nsec / 1000000 < end);
}

static void *be(void *arg)
{
	size_t i = (size_t)arg;

	prctl(PR_SET_NAME, names[i]);
	spin();
	for (int n = 0; n < 3; n++)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	if (i == 1 && sched_setscheduler(0, SCHED_RR, &(struct sched_param){ 10 }) < 0)
		fail("SCHED_RR");
	if (i == 2 && setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 7) < 0)
		fail("nice 7");
	pthread_barrier_wait(&ready);
	while (i && pause() < 0)
		;
	return NULL;
}

static void put(const char *path, const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, text, len) != (ssize_t)len)
		fail(path);
	close(fd);
}

static void copy(const char *to, const char *name)
{
	static char text[TEXT_BYTES];
	char source[512], path[1024], *slash;
	int fd, len = 0;
	ssize_t n;

	snprintf(source, sizeof(source), "/proc/%s", name);
	fd = open(source, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	while ((n = read(fd, text + len, sizeof(text) - (size_t)len)) > 0)
		len += (int)n;
	close(fd);
	if (n < 0)
		return;
	snprintf(path, sizeof(path), "%s/proc/%s", to, name);
	for (slash = path + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			fail(path);
	}
	put(path, text, (size_t)len);
}

static void copy_process(const char *to, int pid)
{
	static const char *const files[] = { "stat", "status", "schedstat", "sched",
					     "io",   "cgroup", "comm" };
	char path[512];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		fail(path);
	for (struct dirent *de; (de = readdir(dir));)
		for (size_t i = 0; *de->d_name != '.' && i < sizeof(files) / sizeof(files[0]);
		     i++) {
			snprintf(path, sizeof(path), "%d/task/%.20s/%s", pid, de->d_name, files[i]);
			copy(to, path);
		}
	closedir(dir);
	snprintf(path, sizeof(path), "%d/maps", pid);
	copy(to, path);
	snprintf(path, sizeof(path), "%d/smaps_rollup", pid);
	copy(to, path);
}

static void enter_cgroup(const char *root)
{
	char path[512], pid[16];

	snprintf(path, sizeof(path), "%s/load", root);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/load/a b", root);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		fail(path);
	snprintf(path, sizeof(path), "%s/load/a b/cgroup.procs", root);
	put(path, pid, (size_t)snprintf(pid, sizeof(pid), "%d", getpid()));
}

int main(int argc, char **argv)
{
	pthread_t thread;
	int fd;

	if (argc < 2) {
		fprintf(stderr, "usage: ctprof_record FOLDER [CGROUP_ROOT]\n");
		return 2;
	}
	fd = open("/proc/sys/kernel/sched_schedstats", O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, "1", 1) != 1)
		fail("sched_schedstats");
	enter_cgroup(argc > 2 ? argv[2] : "/sys/fs/cgroup");
	pthread_barrier_init(&ready, NULL, NR_THREADS);
	for (size_t i = 1; i < NR_THREADS; i++)
		if (pthread_create(&thread, NULL, be, (void *)i))
			fail("thread");
	be(NULL);
	if (mkdir(argv[1], 0755) < 0 && errno != EEXIST)
		fail(argv[1]);
	copy_process(argv[1], KTHREADD);
	copy_process(argv[1], getpid());
	copy(argv[1], "version");
	copy(argv[1], "self/mountinfo");
	return 0;
}
