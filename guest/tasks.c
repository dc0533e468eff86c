// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "guest/tasks.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/parse.h"

enum { FLAG_KTHREAD = 0x200000 /* PF_KTHREAD of include/linux/sched.h */ };

struct task {
	char comm[64];
	char state;
	bool kernel;
};

/* proc_pid_stat(5): "pid (comm) state ppid pgrp session tty tpgid flags ...". */
static bool read_stat(int dir_fd, const char *path, struct task *ret_task)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(4096);
	const char *open_paren, *close_paren;
	unsigned int flags;
	size_t len;

	if (io_read_file_at(dir_fd, path, &text) < 0)
		return false;
	open_paren = strchr(text.data, '(');
	close_paren = strrchr(text.data, ')');
	if (!open_paren || !close_paren || close_paren < open_paren)
		return false;
	if (sscanf(close_paren + 1, " %c %*d %*d %*d %*d %*d %u", &ret_task->state, &flags) != 2)
		return false;
	len = (size_t)(close_paren - open_paren - 1);
	if (len >= sizeof(ret_task->comm))
		len = sizeof(ret_task->comm) - 1;
	memcpy(ret_task->comm, open_paren + 1, len);
	ret_task->comm[len] = '\0';
	ret_task->kernel = flags & FLAG_KTHREAD;
	return true;
}

static void add_stack(int dir_fd, struct strbuf *out)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(4096);
	char *save = NULL;

	if (io_read_file_at(dir_fd, "stack", &text) < 0)
		return;
	for (char *line = strtok_r(text.data, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		const char *name = strstr(line, "] ");

		/* From here on down every stack is the same. */
		if (strstr(line, "do_syscall_64+"))
			break;
		strbuf_addf(out, "    %s\n", name ? name + 2 : line);
	}
}

struct listing {
	int proc_fd;
	bool kernel; /* threads of the kernel, or all others */
	struct strbuf *out;
};

static bool is_wanted(const struct listing *l, const struct task *task)
{
	if (task->kernel != l->kernel)
		return false;
	return !task->kernel || task->state == 'R' || task->state == 'D';
}

static void describe_thread(const struct listing *l, const char *pid, const char *tid)
{
	_cleanup_strbuf_ struct strbuf wchan = STRBUF_INIT_LIMIT(256);
	_cleanup_close_ int dir_fd = -1;
	struct task task;
	char path[600];

	snprintf(path, sizeof(path), "%s/task/%s", pid, tid);
	dir_fd = openat(l->proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0 || !read_stat(dir_fd, "stat", &task) || !is_wanted(l, &task))
		return;
	if (io_read_file_at(dir_fd, "wchan", &wchan) < 0 || !wchan.len ||
	    strcmp(wchan.data, "0") == 0)
		strbuf_clear(&wchan);
	strbuf_addf(l->out, "%s/%s %s %c %s\n", pid, tid, task.comm, task.state,
		    wchan.len ? wchan.data : "-");
	if (task.state != 'R')
		add_stack(dir_fd, l->out);
}

static bool next_number(DIR *dir, uint32_t *ret_number, const char **ret_name)
{
	struct dirent *entry;

	while (dir && (entry = readdir(dir)) != NULL) {
		if (parse_u32(entry->d_name, ret_number) == 0) {
			*ret_name = entry->d_name;
			return true;
		}
	}
	return false;
}

static void describe_process(const struct listing *l, const char *pid)
{
	_cleanup_closedir_ DIR *dir = NULL;
	const char *tid;
	uint32_t number;
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/task", pid);
	fd = openat(l->proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	dir = fdopendir(fd);
	if (!dir)
		close(fd);
	while (!l->out->error && next_number(dir, &number, &tid))
		describe_thread(l, pid, tid);
}

static void describe_all(const char *proc, bool kernel, pid_t skip, struct strbuf *out)
{
	_cleanup_closedir_ DIR *dir = opendir(proc);
	struct listing l = { .proc_fd = dir ? dirfd(dir) : -1, .kernel = kernel, .out = out };
	const char *pid;
	uint32_t number;

	while (!out->error && next_number(dir, &number, &pid))
		if ((pid_t)number != skip)
			describe_process(&l, pid);
}

void tasks_describe(const char *proc, pid_t skip, struct strbuf *out)
{
	struct strbuf text = STRBUF_INIT_LIMIT(TASKS_TEXT_MAX);

	describe_all(proc, false, skip, &text);
	describe_all(proc, true, skip, &text);
	strbuf_addstr(out, strbuf_str(&text));
	if (text.error)
		strbuf_addstr(out, "(more tasks do not fit)\n");
	strbuf_deinit(&text);
}

unsigned int tasks_names(const char *proc, pid_t skip, unsigned int max, struct strbuf *out)
{
	_cleanup_closedir_ DIR *dir = opendir(proc);
	unsigned int nr = 0;
	const char *pid;
	uint32_t number;

	while (next_number(dir, &number, &pid)) {
		struct task task;
		char path[300];

		snprintf(path, sizeof(path), "%s/stat", pid);
		if ((pid_t)number == skip || !read_stat(dirfd(dir), path, &task) || task.kernel ||
		    task.state == 'Z')
			continue;
		if (nr++ < max)
			strbuf_addf(out, "%s%s (%s)", nr > 1 ? ", " : "", task.comm, pid);
	}
	return nr;
}
