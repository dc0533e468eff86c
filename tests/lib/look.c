// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "look.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "base/strbuf.h"

#define TREE "/sys/fs/cgroup/ktstr"

enum { LINE_BYTES = 512 };

static void clean(struct strbuf *text)
{
	for (size_t i = 0; i < text->len; i++)
		if (text->data[i] == '\n')
			text->data[i] = ' ';
	while (text->len && text->data[text->len - 1] == ' ')
		text->data[--text->len] = '\0';
}

static bool slurp(const char *path, struct strbuf *text)
{
	if (io_read_file(path, text, NULL) < 0)
		return false;
	clean(text);
	return true;
}

static void look_at_cgroup(struct strbuf *out, const char *path)
{
	static const char *const files[] = { "cpuset.cpus",  "cpuset.cpus.effective",
					     "cpuset.mems",  "cpu.weight",
					     "cpu.max",	     "cpu.idle",
					     "cgroup.events" };
	_cleanup_closedir_ DIR *dir = opendir(path);
	const char *name = strlen(path) > strlen(TREE) ? path + strlen(TREE) + 1 : ".";
	const struct dirent *entry;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_free_ char *file = path_format("%s/%s", path, files[i]);
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

		if (slurp(file, &text))
			strbuf_addf(out, "cgroup %s %s %s\n", name, files[i], strbuf_str(&text));
	}
	while (dir && (entry = readdir(dir))) {
		_cleanup_free_ char *below = path_format("%s/%s", path, entry->d_name);

		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			look_at_cgroup(out, below);
	}
}

/* The field of /proc/TID/stat, counted from 1. */
static long field(const char *stat, int number)
{
	const char *p = strrchr(stat, ')');

	for (int i = 2; p && i < number; i++)
		p = strchr(p + 1, ' ');
	return p ? strtol(p, NULL, 10) : -1;
}

static void look_at_task(struct strbuf *out, const char *dir)
{
	_cleanup_strbuf_ struct strbuf cgroup = STRBUF_INIT, stat = STRBUF_INIT, comm = STRBUF_INIT,
				       status = STRBUF_INIT;
	_cleanup_free_ char *cgroup_path = path_format("%s/cgroup", dir);
	_cleanup_free_ char *stat_path = path_format("%s/stat", dir);
	_cleanup_free_ char *comm_path = path_format("%s/comm", dir);
	_cleanup_free_ char *status_path = path_format("%s/status", dir);
	const char *where, *cpus;

	if (!slurp(cgroup_path, &cgroup) || !slurp(stat_path, &stat) || !slurp(comm_path, &comm) ||
	    !slurp(status_path, &status))
		return;
	where = strstr(strbuf_str(&cgroup), "0::/ktstr");
	cpus = strstr(strbuf_str(&status), "Cpus_allowed_list:\t");
	if (!where || !cpus)
		return;
	where += strlen("0::/ktstr");
	cpus += strlen("Cpus_allowed_list:\t");
	strbuf_addf(out, "task %s cgroup %s policy %ld nice %ld rt %ld cpus %.*s\n",
		    strbuf_str(&comm), *where == '/' ? where + 1 : ".",
		    field(strbuf_str(&stat), 41), field(strbuf_str(&stat), 19),
		    field(strbuf_str(&stat), 40), (int)strcspn(cpus, " "), cpus);
}

static void look_at_tasks(struct strbuf *out)
{
	_cleanup_closedir_ DIR *proc = opendir("/proc");
	const struct dirent *process, *thread;

	while (proc && (process = readdir(proc))) {
		_cleanup_free_ char *path = path_format("/proc/%s/task", process->d_name);
		_cleanup_closedir_ DIR *tasks = NULL;

		if (isdigit((unsigned char)process->d_name[0]))
			tasks = opendir(path);
		while (tasks && (thread = readdir(tasks))) {
			_cleanup_free_ char *task = path_format("%s/%s", path, thread->d_name);

			if (isdigit((unsigned char)thread->d_name[0]))
				look_at_task(out, task);
		}
	}
}

static void look_at_machine(struct strbuf *out)
{
	_cleanup_strbuf_ struct strbuf online = STRBUF_INIT, state = STRBUF_INIT, ops = STRBUF_INIT;

	slurp("/sys/devices/system/cpu/online", &online);
	strbuf_addf(out, "online %s\n", strbuf_str(&online));
	slurp("/sys/kernel/sched_ext/state", &state);
	slurp("/sys/kernel/sched_ext/root/ops", &ops);
	strbuf_addf(out, "sched_ext %s %s\n", strbuf_str(&state), strbuf_str(&ops));
}

static char *look_path(unsigned int n)
{
	return path_format("/tmp/look.%u", n);
}

unsigned int look_count(void)
{
	unsigned int n = 0;

	for (;; n++) {
		_cleanup_free_ char *path = look_path(n);

		if (access(path, F_OK) < 0)
			return n;
	}
}

void look(const struct ktstr_work_context *context)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
	_cleanup_free_ char *path = look_path(look_count());

	look_at_cgroup(&out, TREE);
	look_at_tasks(&out);
	look_at_machine(&out);
	if (io_write_file(path, out.data, out.len, 0644, NULL) == 0)
		context->did(context->handle, 1);
}

static bool look_read(unsigned int n, struct strbuf *out)
{
	_cleanup_free_ char *path = look_path(n);

	return io_read_file(path, out, NULL) == 0;
}

/* As a whole line. */
static bool has_line(const char *text, const char *line)
{
	size_t len = strlen(line);

	for (const char *p = text; (p = strstr(p, line)); p++)
		if ((p == text || p[-1] == '\n') && (p[len] == '\n' || !p[len]))
			return true;
	return false;
}

/* Lines that begin with the same two words. */
static void add_alike(struct strbuf *out, const char *text, const char *line)
{
	size_t len = strcspn(line, " ");

	len += line[len] == ' ' ? 1 + strcspn(line + len + 1, " ") : 0;
	for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n')
		if (!strncmp(p, line, len))
			strbuf_addf(out, " [%.*s]", (int)strcspn(p, "\n"), p);
}

bool look_has(struct ktstr *t, unsigned int n, const char *line)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, alike = STRBUF_INIT;

	if (!look_read(n, &text)) {
		ktstr_fail_at(t, KTSTR_SITE("look", ""), "there was no look %u", n);
		return false;
	}
	if (has_line(strbuf_str(&text), line))
		return ktstr_expect_true(t, KTSTR_SITE("look", ""), true, true);
	add_alike(&alike, strbuf_str(&text), line);
	ktstr_fail_at(t, KTSTR_SITE("look", ""), "look %u has no line '%s' but%s", n, line,
		      alike.len ? strbuf_str(&alike) : " nothing like it");
	return false;
}

const char *look_find(unsigned int n, const char *start)
{
	static char line[LINE_BYTES];
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	size_t len = strlen(start);

	if (!look_read(n, &text))
		return NULL;
	for (const char *p = strbuf_str(&text); *p; p += strcspn(p, "\n"), p += *p == '\n') {
		if (strncmp(p, start, len) != 0)
			continue;
		snprintf(line, sizeof(line), "%.*s", (int)strcspn(p + len, "\n"), p + len);
		return line;
	}
	return NULL;
}

void look_clean(struct ktstr *t)
{
	_cleanup_strbuf_ struct strbuf online = STRBUF_INIT, present = STRBUF_INIT,
				       state = STRBUF_INIT;

	EXPECT_FALSE(t, path_is_dir(TREE));
	EXPECT_TRUE(t, slurp("/sys/devices/system/cpu/online", &online));
	EXPECT_TRUE(t, slurp("/sys/devices/system/cpu/present", &present));
	EXPECT_STREQ(t, strbuf_str(&online), strbuf_str(&present));
	if (slurp("/sys/kernel/sched_ext/state", &state))
		EXPECT_STREQ(t, strbuf_str(&state), "disabled");
}
