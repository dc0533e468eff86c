// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "sched/family.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/group.h"
#include "base/io.h"
#include "base/parse.h"

/* Above all that a test lets run, below those that watch it. */
enum { STAT_BYTES = 4096, RESCUE_PRIORITY = 95, DEATH_MS = 1000 };

static bool read_stat(int proc_fd, uint32_t pid, struct group_stat *ret_stat)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(STAT_BYTES);
	char path[64];

	snprintf(path, sizeof(path), "%u/stat", pid);
	return io_read_file_at(proc_fd, path, &text) == 0 &&
	       group_parse_stat(strbuf_str(&text), ret_stat) == 0;
}

static bool has_mark(int proc_fd, uint32_t pid, const char *mark)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(FAMILY_ENVIRON_BYTES);
	char path[64];

	snprintf(path, sizeof(path), "%u/environ", pid);
	/* Of an environment that is too large the beginning is there. */
	(void)!io_read_file_at(proc_fd, path, &text);
	return text.len && memmem(text.data, text.len, mark, strlen(mark) + 1);
}

void family_find(const struct family *family, struct family_members *ret_members)
{
	_cleanup_closedir_ DIR *dir = opendir("/proc");
	struct dirent *de;

	ret_members->nr = 0;
	while (dir && ret_members->nr < FAMILY_MAX && (de = readdir(dir))) {
		struct group_stat st;
		uint32_t pid;

		/* Threads of the kernel are in no group. */
		if (parse_u32(de->d_name, &pid) < 0 || !read_stat(dirfd(dir), pid, &st) ||
		    st.group == 0 || st.state == 'Z' || st.state == 'X')
			continue;
		if (st.group == family->group || has_mark(dirfd(dir), pid, family->mark))
			ret_members->pids[ret_members->nr++] = (pid_t)pid;
	}
}

void family_describe(const struct family_members *members, struct strbuf *out)
{
	_cleanup_closedir_ DIR *dir = opendir("/proc");

	for (size_t i = 0; dir && i < members->nr && i < FAMILY_NAMED; i++) {
		struct group_stat st = { .comm = "?" };

		read_stat(dirfd(dir), (uint32_t)members->pids[i], &st);
		strbuf_addf(out, "%s%d (%s)", i ? ", " : "", (int)members->pids[i], st.comm);
	}
	if (members->nr > FAMILY_NAMED)
		strbuf_addf(out, " and %zu more", members->nr - FAMILY_NAMED);
}

/* Calls @change for each thread of a process. */
static void for_each_thread(pid_t pid, void (*change)(pid_t tid, const int *arg), const int *arg)
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *de;
	char path[64];
	uint32_t tid;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	while (dir && (de = readdir(dir)))
		if (parse_u32(de->d_name, &tid) == 0)
			change((pid_t)tid, arg);
}

static void rescue_thread(pid_t tid, const int *arg)
{
	const struct sched_param param = { .sched_priority = RESCUE_PRIORITY };

	(void)arg;
	sched_setscheduler(tid, SCHED_FIFO, &param);
}

static void rescue(pid_t pid)
{
	for_each_thread(pid, rescue_thread, NULL);
}

static void renice_thread(pid_t tid, const int *from_to)
{
	int nice;

	errno = 0;
	nice = getpriority(PRIO_PROCESS, (id_t)tid);
	if (errno == 0 && nice == from_to[0])
		setpriority(PRIO_PROCESS, (id_t)tid, from_to[1]);
}

void family_renice(const struct family *family, int from, int to)
{
	const int from_to[] = { from, to };
	struct family_members members;

	family_find(family, &members);
	for (size_t i = 0; i < members.nr; i++)
		for_each_thread(members.pids[i], renice_thread, from_to);
}

void family_rescue(const struct family *family)
{
	struct family_members members;

	family_find(family, &members);
	for (size_t i = 0; i < members.nr; i++)
		rescue(members.pids[i]);
}

static void kill_one(pid_t pid)
{
	_cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };

	rescue(pid);
	if (fd < 0 || syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) < 0)
		return;
	while (poll(&p, 1, DEATH_MS) < 0 && errno == EINTR)
		;
}

void family_kill(const struct family *family)
{
	struct family_members members;

	for (int round = 0; round < FAMILY_ROUNDS; round++) {
		family_find(family, &members);
		if (!members.nr)
			return;
		for (size_t i = 0; i < members.nr; i++)
			kill_one(members.pids[i]);
	}
}
