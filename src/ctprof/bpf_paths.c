// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "ctprof/bpf_records.h"

enum { MAX_PATHS = 1 << 20 };

struct known {
	ctprof_u64 cgroup; /* 0: free */
	const char *path;  /* NULL: cannot be said */
};

/* One cgroup's line of ancestors while its parts come in, the leaf first. */
struct line {
	ctprof_u64 cgroup;
	unsigned int nr;
	bool dead;
	ctprof_u64 nodes[CTPROF_PATH_PARTS];
	char names[CTPROF_PATH_PARTS][CTPROF_PART_BYTES];
};

struct bpf_paths {
	struct builder *builder;
	struct line line;
	ctprof_u64 root_cgroup; /* the reader's root */
	/* Its ancestors, from the tree's root on. */
	ctprof_u64 root[CTPROF_PATH_PARTS];
	unsigned int root_nr; /* 0: not yet known */
	struct known *known;  /* open hash, a power of two */
	size_t nr, size;
};

struct bpf_paths *bpf_paths_create(struct builder *builder)
{
	struct bpf_paths *paths = calloc(1, sizeof(*paths));

	if (paths)
		paths->builder = builder;
	return paths;
}

void bpf_paths_destroy(struct bpf_paths *paths)
{
	free(paths->known);
	free(paths);
}

void bpf_paths_begin(struct bpf_paths *paths, ctprof_u64 root_cgroup)
{
	paths->root_cgroup = root_cgroup;
	paths->root_nr = 0;
	paths->line.nr = 0;
}

static struct known *slot_for(struct known *known, size_t size, ctprof_u64 cgroup)
{
	size_t i = (cgroup * 0x9e3779b97f4a7c15ull >> 32) & (size - 1);

	while (known[i].cgroup && known[i].cgroup != cgroup)
		i = (i + 1) & (size - 1);
	return &known[i];
}

static int grow(struct bpf_paths *paths)
{
	size_t size = paths->size ? paths->size * 2 : 64;
	struct known *known;

	if (paths->nr * 2 < paths->size)
		return 0;
	if (size > MAX_PATHS)
		return -ENOMEM;
	known = calloc(size, sizeof(*known));
	if (!known)
		return -ENOMEM;
	for (size_t i = 0; i < paths->size; i++)
		if (paths->known[i].cgroup)
			*slot_for(known, size, paths->known[i].cgroup) = paths->known[i];
	free(paths->known);
	paths->known = known;
	paths->size = size;
	return 0;
}

static int remember(struct bpf_paths *paths, ctprof_u64 cgroup, const char *path)
{
	struct known *at;

	if (!cgroup)
		return -EBADMSG;
	if (grow(paths) < 0)
		return -ENOMEM;
	at = slot_for(paths->known, paths->size, cgroup);
	paths->nr += at->cgroup ? 0 : 1;
	*at = (struct known){ cgroup, path };
	return 0;
}

const char *bpf_paths_find(const struct bpf_paths *paths, ctprof_u64 cgroup)
{
	return paths->size && cgroup ? slot_for(paths->known, paths->size, cgroup)->path : NULL;
}

/* Up to where both go the same way, then down: as kernfs_path_from_node() of the kernel. */
static int complete(struct bpf_paths *paths)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(BPF_PATH_BYTES);
	const struct line *l = &paths->line;
	unsigned int common = 0;
	const char *path;

	if (!paths->root_nr && l->cgroup == paths->root_cgroup) {
		for (unsigned int i = 0; i < l->nr; i++)
			paths->root[i] = l->nodes[l->nr - 1 - i];
		paths->root_nr = l->nr;
	}
	while (common < l->nr && common < paths->root_nr &&
	       paths->root[common] == l->nodes[l->nr - 1 - common])
		common++;
	for (unsigned int i = common; i < paths->root_nr; i++)
		strbuf_addstr(&text, "/..");
	for (unsigned int i = common; i < l->nr; i++) {
		strbuf_addch(&text, '/');
		strbuf_addstr(&text, l->names[l->nr - 1 - i]);
	}
	if (!text.len)
		strbuf_addch(&text, '/');
	if (l->dead)
		strbuf_addstr(&text, " (deleted)");
	if (text.error == -ENOMEM)
		return -ENOMEM;
	if (text.error < 0 || !common)
		return remember(paths, l->cgroup, NULL);
	path = builder_intern(paths->builder, strbuf_str(&text), text.len);
	return path ? remember(paths, l->cgroup, path) : -ENOMEM;
}

int bpf_paths_add(struct bpf_paths *paths, const struct ctprof_path *part)
{
	struct line *l = &paths->line;
	int r = 0;

	if (part->up == 0) {
		/* Unless the rest comes, too deep to be said. */
		r = remember(paths, part->cgroup, NULL);
		l->cgroup = part->cgroup;
		l->dead = part->flags & CTPROF_PATH_DEAD;
		l->nr = 0;
	}
	if (r < 0 || part->cgroup != l->cgroup || part->up != l->nr || l->nr >= CTPROF_PATH_PARTS)
		return r < 0 ? r : -EBADMSG;
	l->nodes[l->nr] = part->node;
	memcpy(l->names[l->nr], part->name, part->len);
	l->names[l->nr][part->len] = '\0';
	l->nr++;
	return part->flags & CTPROF_PATH_ROOT ? complete(paths) : 0;
}
