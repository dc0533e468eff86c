// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ctprof/cgroup_text.h"
#include "ctprof/crew.h"
#include "ctprof/text_file.h"
#include "ctprof/walk.h"

typedef int parse_fn(struct span, struct ktstr_ctprof_cgroup *);
typedef int parse_value_fn(struct span, int64_t *);

/* Fewer than this are not worth another thread. */
enum { CGROUPS_PER_READER = 16 };

/* What the readers share. */
struct tree {
	struct builder *builder;
	pthread_mutex_t lock; /* of the builder's texts */
	const struct cgroup_mounts *mounts;
	int fds[CGROUP_MOUNTS]; /* of mounts */
};

struct reader {
	struct tree *tree;
	struct text_file file;
};

static const struct {
	const char *name;
	parse_fn *parse;
} tables[] = {
	{ "cpu.stat", cgroup_parse_cpu_stat },
	{ "cpu.max", cgroup_parse_cpu_max },
	{ "memory.stat", cgroup_parse_memory_stat },
	{ "memory.events", cgroup_parse_memory_events },
	{ "io.stat", cgroup_parse_io_stat },
};

static const struct {
	const char *name;
	parse_value_fn *parse;
	enum ktstr_ctprof_cgroup_metric metric;
} numbers[] = {
	{ "cpu.max.burst", cgroup_parse_number, KTSTR_CTPROF_CGROUP_MAX_BURST },
	{ "cpu.weight", cgroup_parse_number, KTSTR_CTPROF_CGROUP_WEIGHT },
	{ "cpu.weight.nice", cgroup_parse_number, KTSTR_CTPROF_CGROUP_WEIGHT_NICE },
	{ "cpu.idle", cgroup_parse_number, KTSTR_CTPROF_CGROUP_IDLE },
	{ "cpu.uclamp.min", cgroup_parse_percent, KTSTR_CTPROF_CGROUP_UCLAMP_MIN },
	{ "cpu.uclamp.max", cgroup_parse_percent, KTSTR_CTPROF_CGROUP_UCLAMP_MAX },
	{ "memory.current", cgroup_parse_number, KTSTR_CTPROF_CGROUP_MEMORY_CURRENT },
	{ "memory.peak", cgroup_parse_number, KTSTR_CTPROF_CGROUP_MEMORY_PEAK },
	{ "memory.max", cgroup_parse_number, KTSTR_CTPROF_CGROUP_MEMORY_MAX },
	{ "memory.high", cgroup_parse_number, KTSTR_CTPROF_CGROUP_MEMORY_HIGH },
	{ "memory.low", cgroup_parse_number, KTSTR_CTPROF_CGROUP_MEMORY_LOW },
	{ "memory.min", cgroup_parse_number, KTSTR_CTPROF_CGROUP_MEMORY_MIN },
	{ "memory.swap.current", cgroup_parse_number, KTSTR_CTPROF_CGROUP_SWAP_CURRENT },
	{ "pids.current", cgroup_parse_number, KTSTR_CTPROF_CGROUP_PIDS_CURRENT },
	{ "pids.max", cgroup_parse_number, KTSTR_CTPROF_CGROUP_PIDS_MAX },
	{ "pids.peak", cgroup_parse_number, KTSTR_CTPROF_CGROUP_PIDS_PEAK },
};

static const struct {
	const char *name;
	enum ktstr_ctprof_cgroup_metric first;
} pressures[] = {
	{ "cpu.pressure", KTSTR_CTPROF_CGROUP_PRESSURE_CPU_SOME_AVG10 },
	{ "memory.pressure", KTSTR_CTPROF_CGROUP_PRESSURE_MEMORY_SOME_AVG10 },
	{ "io.pressure", KTSTR_CTPROF_CGROUP_PRESSURE_IO_SOME_AVG10 },
	{ "irq.pressure", KTSTR_CTPROF_CGROUP_PRESSURE_IRQ_FULL_AVG10 },
};

static const struct {
	const char *name;
	enum ktstr_ctprof_cgroup_text text;
} texts[] = {
	{ "cpuset.cpus.effective", KTSTR_CTPROF_CGROUP_TEXT_CPUS_EFFECTIVE },
	{ "cpuset.mems.effective", KTSTR_CTPROF_CGROUP_TEXT_MEMS_EFFECTIVE },
};

/* What was not understood is absent, so that nobody need look at what the parsers return. */
static void read_values(struct reader *rd, int dir_fd, struct ktstr_ctprof_cgroup *c)
{
	struct span text;
	int64_t value;

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		if (text_file_read(&rd->file, dir_fd, tables[i].name, &text) == 0)
			tables[i].parse(text, c);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (text_file_read(&rd->file, dir_fd, numbers[i].name, &text) == 0 &&
		    numbers[i].parse(text, &value) == 0)
			cgroup_set(c, numbers[i].metric, value);
	for (size_t i = 0; i < ARRAY_SIZE(pressures); i++)
		if (text_file_read(&rd->file, dir_fd, pressures[i].name, &text) == 0)
			cgroup_parse_pressure(text, c, pressures[i].first);
}

static const char *intern(struct tree *tree, struct span s)
{
	const char *copy;

	pthread_mutex_lock(&tree->lock);
	copy = builder_intern(tree->builder, s.at, s.len);
	pthread_mutex_unlock(&tree->lock);
	return copy;
}

static int read_texts(struct reader *rd, int dir_fd, struct ktstr_ctprof_cgroup *c)
{
	struct span text, line;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (text_file_read(&rd->file, dir_fd, texts[i].name, &text) < 0 ||
		    !next_line(&text, &line))
			continue;
		c->texts[texts[i].text] = intern(rd->tree, line);
		if (!c->texts[texts[i].text])
			return -ENOMEM;
	}
	return 0;
}

/* Return: -1: outside of what is mounted, where nothing can be reached by its name. */
static int open_cgroup(const struct tree *tree, const char *path)
{
	for (size_t i = 0; i < tree->mounts->nr; i++) {
		const char *below = cgroup_below(path, tree->mounts->list[i].root);

		if (below && tree->fds[i] >= 0)
			return openat(tree->fds[i], *below ? below : ".",
				      O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	return -1;
}

/* A group that cannot be reached loses its path. */
static int read_cgroup(void *member, size_t index)
{
	struct reader *rd = member;
	struct ktstr_ctprof_cgroup *c = &rd->tree->builder->cgroups[index];
	_cleanup_close_ int dir_fd = open_cgroup(rd->tree, c->path);

	if (dir_fd < 0) {
		c->path = NULL;
		return 0;
	}
	read_values(rd, dir_fd, c);
	return read_texts(rd, dir_fd, c);
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

static int add_cgroups(struct builder *b)
{
	_cleanup_free_ const char **paths = calloc(b->nr_threads + 1, sizeof(*paths));
	size_t nr;

	if (!paths)
		return -ENOMEM;
	nr = distinct_paths(b, paths);
	for (size_t i = 0; i < nr; i++) {
		struct ktstr_ctprof_cgroup *c = builder_add_cgroup(b);

		if (!c)
			return -ENOMEM;
		c->path = paths[i];
	}
	return 0;
}

static void drop_unreached(struct builder *b)
{
	size_t kept = 0;

	for (size_t i = 0; i < b->nr_cgroups; i++)
		if (b->cgroups[i].path)
			b->cgroups[kept++] = b->cgroups[i];
	b->nr_cgroups = kept;
}

static int read_all(struct tree *tree, unsigned int jobs)
{
	size_t nr = tree->builder->nr_cgroups;
	struct crew crew = { .work = read_cgroup, .nr_pieces = nr };
	struct reader readers[CREW_MAX] = { 0 };
	unsigned int wanted = (unsigned int)(nr / CGROUPS_PER_READER) + 1;
	int r = 0;

	if (wanted > 1 && !jobs)
		jobs = crew_size();
	wanted = wanted < jobs || !jobs ? wanted : jobs;
	for (; r == 0 && crew.nr_members < wanted && crew.nr_members < CREW_MAX;
	     crew.nr_members++) {
		readers[crew.nr_members].tree = tree;
		r = text_file_init(&readers[crew.nr_members].file);
		crew.members[crew.nr_members] = &readers[crew.nr_members];
	}
	if (r == 0)
		r = crew_run(&crew);
	for (unsigned int i = 0; i < crew.nr_members; i++)
		text_file_deinit(&readers[i].file);
	drop_unreached(tree->builder);
	return r;
}

int walk_cgroups(struct builder *b, const struct cgroup_mounts *mounts, unsigned int jobs)
{
	struct tree tree = { .builder = b, .lock = PTHREAD_MUTEX_INITIALIZER, .mounts = mounts };
	int r = mounts->nr ? add_cgroups(b) : 0;

	for (size_t i = 0; i < mounts->nr; i++)
		tree.fds[i] = open(mounts->list[i].path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r == 0)
		r = read_all(&tree, jobs);
	for (size_t i = 0; i < mounts->nr; i++)
		if (tree.fds[i] >= 0)
			close(tree.fds[i]);
	return r;
}
