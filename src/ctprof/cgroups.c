// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "ctprof/procfs.h"
#include "ctprof/walk.h"

enum { CGROUP_FILE_BYTES = 65536 };

static void read_number(int dir_fd, const char *name, struct ktstr_ctprof_cgroup *c,
			enum ktstr_ctprof_cgroup_metric metric)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(CGROUP_FILE_BYTES);
	int64_t value;

	if (io_read_file_at(dir_fd, name, &text) == 0 &&
	    procfs_parse_number((struct span){ strbuf_str(&text), text.len }, &value) == 0)
		cgroup_set(c, metric, value);
}

static void read_with(int dir_fd, const char *name, struct ktstr_ctprof_cgroup *c,
		      int (*parse)(struct span, struct ktstr_ctprof_cgroup *))
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(CGROUP_FILE_BYTES);

	/* What was not understood is absent. */
	if (io_read_file_at(dir_fd, name, &text) == 0 &&
	    parse((struct span){ strbuf_str(&text), text.len }, c) < 0)
		return;
}

static int read_cgroup(struct builder *b, int root_fd, const char *path)
{
	_cleanup_close_ int dir_fd = -1;
	struct ktstr_ctprof_cgroup *c;

	/* Above the root of our own cgroup namespace nothing can be reached by its name. */
	if (strncmp(path, "/..", 3) == 0 && (!path[3] || path[3] == '/'))
		return 0;
	dir_fd = openat(root_fd, path[1] ? path + 1 : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return 0;
	c = builder_add_cgroup(b);
	if (!c)
		return -ENOMEM;
	c->path = path;
	read_with(dir_fd, "cpu.stat", c, procfs_parse_cpu_stat);
	read_with(dir_fd, "cpu.max", c, procfs_parse_cpu_max);
	read_number(dir_fd, "cpu.weight", c, KTSTR_CTPROF_CGROUP_WEIGHT);
	read_number(dir_fd, "memory.current", c, KTSTR_CTPROF_CGROUP_MEMORY_CURRENT);
	read_number(dir_fd, "pids.current", c, KTSTR_CTPROF_CGROUP_PIDS_CURRENT);
	return 0;
}

static int compare_pointers(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Equal texts are one copy, so distinct pointers are distinct paths. */
static size_t distinct_paths(const struct builder *b, const char **paths)
{
	size_t nr = 0, kept = 0;

	for (size_t i = 0; i < b->nr_threads; i++) {
		const char *path = b->threads[i].texts[KTSTR_CTPROF_TEXT_CGROUP];

		if (path && (!nr || paths[nr - 1] != path))
			paths[nr++] = path;
	}
	qsort(paths, nr, sizeof(*paths), compare_pointers);
	for (size_t i = 0; i < nr; i++)
		if (!kept || paths[kept - 1] != paths[i])
			paths[kept++] = paths[i];
	return kept;
}

int walk_cgroups(struct builder *b, const char *root)
{
	_cleanup_close_ int root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ const char **paths = NULL;
	size_t nr;
	int r = 0;

	if (root_fd < 0)
		return 0;
	paths = calloc(b->nr_threads + 1, sizeof(*paths));
	if (!paths)
		return -ENOMEM;
	nr = distinct_paths(b, paths);
	for (size_t i = 0; i < nr && r == 0; i++)
		r = read_cgroup(b, root_fd, paths[i]);
	return r;
}
