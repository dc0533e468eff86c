// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/capacity.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/path.h"

enum { FILE_MAX = 1 << 20, KIB_SHIFT = 10 };

struct group_files {
	const char *mount, *limit, *usage, *idle_key;
};

static const struct group_files v2 = { "/sys/fs/cgroup", "memory.max", "memory.current",
				       "inactive_file" };
static const struct group_files v1 = { "/sys/fs/cgroup/memory", "memory.limit_in_bytes",
				       "memory.usage_in_bytes", "total_inactive_file" };

static uint32_t count_cpus(void)
{
	cpu_set_t set;
	long online;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		return (uint32_t)CPU_COUNT(&set);
	online = sysconf(_SC_NPROCESSORS_ONLN);
	return online > 0 ? (uint32_t)online : 1;
}

/* The number behind @key and blanks at the beginning of a line. */
static bool find_number(const char *text, const char *key, uint64_t *ret_value)
{
	size_t len = strlen(key), digits;
	char number[24];

	for (; text; text = strchr(text, '\n')) {
		text += *text == '\n';
		if (strncmp(text, key, len) != 0)
			continue;
		text += len;
		if (*text != ' ')
			continue;
		text += strspn(text, " ");
		digits = strspn(text, "0123456789");
		if (digits >= sizeof(number))
			return false;
		memcpy(number, text, digits);
		number[digits] = '\0';
		return parse_u64(number, ret_value) == 0;
	}
	return false;
}

static bool read_text(const char *path, struct strbuf *text)
{
	return path && io_read_file(path, text, NULL) == 0;
}

/* "max", an absent file and nonsense are no limit. */
static bool read_number(const char *dir, const char *name, uint64_t *ret_value)
{
	_cleanup_free_ char *path = path_format("%s/%s", dir, name);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(FILE_MAX);

	if (!read_text(path, &text) || !text.len)
		return false;
	text.data[strcspn(text.data, "\n")] = '\0';
	return parse_u64(text.data, ret_value) == 0;
}

static void limit_by(const struct group_files *files, const char *dir, struct capacity *c)
{
	_cleanup_free_ char *path = path_format("%s/memory.stat", dir);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(FILE_MAX);
	uint64_t limit, usage = 0, idle = 0, left;

	if (!read_number(dir, files->limit, &limit) || !read_number(dir, files->usage, &usage))
		return;
	if (read_text(path, &text) && !find_number(strbuf_str(&text), files->idle_key, &idle))
		idle = 0;
	usage = usage > idle ? usage - idle : 0;
	left = limit > usage ? limit - usage : 0;
	if (limit < c->total_bytes)
		c->total_bytes = limit;
	if (left < c->available_bytes)
		c->available_bytes = left;
}

/* A group is bound by its own limit and by those above it. */
static void limit_by_groups(const char *root, const struct group_files *files, const char *group,
			    struct capacity *c)
{
	_cleanup_free_ char *dir = path_format("%s%s%s", root, files->mount, group);
	size_t top = strlen(root) + strlen(files->mount);

	while (dir) {
		char *slash = strrchr(dir + top, '/');

		if (!slash || slash[1])
			limit_by(files, dir, c);
		if (!slash)
			return;
		*slash = '\0';
	}
}

/* "0::/a/b" is version 2, "4:cpu,memory:/a/b" version 1 (cgroups(7)). */
static void limit_by_line(const char *root, char *line, struct capacity *c)
{
	char *id = strsep(&line, ":"), *controllers = line ? strsep(&line, ":") : NULL, *word;

	if (!line || line[0] != '/')
		return;
	if (!strcmp(id, "0") && !*controllers)
		limit_by_groups(root, &v2, line, c);
	while ((word = strsep(&controllers, ",")))
		if (!strcmp(word, "memory"))
			limit_by_groups(root, &v1, line, c);
}

static void limit_by_all(const char *root, struct capacity *c)
{
	_cleanup_free_ char *path = path_format("%s/proc/self/cgroup", root);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(FILE_MAX);
	char *rest, *line;

	if (!read_text(path, &text))
		return;
	rest = text.data;
	while (rest && (line = strsep(&rest, "\n")))
		limit_by_line(root, line, c);
}

int capacity_read(const char *root, struct capacity *ret_capacity, struct ktstr_error *err)
{
	_cleanup_free_ char *path = path_format("%s/proc/meminfo", root);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(FILE_MAX);
	struct capacity c = { .cpus = count_cpus() };
	int r;

	if (!path)
		return ktstr_error_nomem(err);
	r = io_read_file(path, &text, err);
	if (r < 0)
		return r;
	if (!find_number(strbuf_str(&text), "MemTotal:", &c.total_bytes) ||
	    !find_number(strbuf_str(&text), "MemAvailable:", &c.available_bytes))
		return ktstr_error_set(err, -ENODATA, "'%s' has no MemTotal or MemAvailable", path);
	c.total_bytes <<= KIB_SHIFT;
	c.available_bytes <<= KIB_SHIFT;
	limit_by_all(root, &c);
	*ret_capacity = c;
	return 0;
}
