// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof/host.h"

#include <sched.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "ctprof/text_file.h"

enum { PATH_BYTES = 96, LIST_BYTES = 4096, MAX_CACHES = 10 };

static int read_list(struct text_file *file, int cpu_fd, const char *path, cpu_set_t *ret_set)
{
	struct span text, line;
	char list[LIST_BYTES];

	if (text_file_read(file, cpu_fd, path, &text) < 0 || !next_line(&text, &line) ||
	    line.len >= sizeof(list))
		return -ENOENT;
	memcpy(list, line.at, line.len);
	list[line.len] = '\0';
	return parse_cpulist(list, ret_set);
}

static int read_number(struct text_file *file, int cpu_fd, const char *path, int64_t *ret_value)
{
	struct span text, line;

	if (text_file_read(file, cpu_fd, path, &text) < 0 || !next_line(&text, &line))
		return -ENOENT;
	return whole_number(line, ret_value);
}

/* The CPUs that share the last cache of @cpu. */
static int read_llc(struct text_file *file, int cpu_fd, int cpu, cpu_set_t *ret_set)
{
	int64_t level, top = 0;
	char path[PATH_BYTES];
	int index = -1;

	for (int i = 0; i < MAX_CACHES; i++) {
		snprintf(path, sizeof(path), "cpu%d/cache/index%d/level", cpu, i);
		if (read_number(file, cpu_fd, path, &level) < 0)
			break;
		if (level > top) {
			top = level;
			index = i;
		}
	}
	if (index < 0)
		return -ENOENT;
	snprintf(path, sizeof(path), "cpu%d/cache/index%d/shared_cpu_list", cpu, index);
	return read_list(file, cpu_fd, path, ret_set);
}

static int read_siblings(struct text_file *file, int cpu_fd, int cpu, const char *name,
			 cpu_set_t *ret_set)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "cpu%d/topology/%s", cpu, name);
	return read_list(file, cpu_fd, path, ret_set);
}

/* One read for each group, not for each CPU. @name: NULL: the last cache.  Return: -1: unknown. */
static int64_t count_groups(struct text_file *file, int cpu_fd, const cpu_set_t *online,
			    const char *name)
{
	cpu_set_t left = *online, group;
	int64_t count = 0;

	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		int r;

		if (!CPU_ISSET(cpu, &left))
			continue;
		r = name ? read_siblings(file, cpu_fd, cpu, name, &group)
			 : read_llc(file, cpu_fd, cpu, &group);
		if (r < 0)
			return -1;
		CPU_SET(cpu, &group);
		CPU_AND(&group, &group, &left);
		CPU_XOR(&left, &left, &group);
		count++;
	}
	return count;
}

void host_read_cpus(struct text_file *file, int cpu_fd, struct ktstr_ctprof_host *h)
{
	static const struct {
		const char *name;
		enum ktstr_ctprof_host_metric metric;
	} rows[] = {
		{ "package_cpus_list", KTSTR_CTPROF_HOST_PACKAGES },
		{ "core_cpus_list", KTSTR_CTPROF_HOST_CORES },
		{ NULL, KTSTR_CTPROF_HOST_LLCS },
	};
	cpu_set_t set;

	if (read_list(file, cpu_fd, "possible", &set) == 0)
		host_set(h, KTSTR_CTPROF_HOST_CPUS_POSSIBLE, CPU_COUNT(&set));
	if (read_list(file, cpu_fd, "online", &set) < 0)
		return;
	host_set(h, KTSTR_CTPROF_HOST_CPUS_ONLINE, CPU_COUNT(&set));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int64_t count = count_groups(file, cpu_fd, &set, rows[i].name);

		if (count >= 0)
			host_set(h, rows[i].metric, count);
	}
}
