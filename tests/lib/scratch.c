// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"

enum { NR_PATHS = 8 };

static void must(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

void scratch_create(struct scratch *s)
{
	snprintf(s->dir, sizeof(s->dir), "/tmp/ktstr-unit.XXXXXX");
	must(mkdtemp(s->dir) != NULL, "create a scratch folder");
}

void scratch_destroy(struct scratch *s)
{
	must(path_remove_tree(s->dir, NULL) == 0, "remove a scratch folder");
}

int scratch_set_up(void **state)
{
	scratch_create(*state);
	return 0;
}

int scratch_tear_down(void **state)
{
	scratch_destroy(*state);
	return 0;
}

const char *scratch_path(const struct scratch *s, const char *name)
{
	static char paths[NR_PATHS][512];
	static unsigned int next;
	char *path = paths[next++ % NR_PATHS];

	must(snprintf(path, sizeof(paths[0]), "%s/%s", s->dir, name) < (int)sizeof(paths[0]), name);
	return path;
}

const char *scratch_write(const struct scratch *s, const char *name, const void *bytes, size_t len,
			  mode_t mode)
{
	const char *path = scratch_path(s, name);
	_cleanup_free_ char *parent = strndup(path, strlen(path) - strlen(path_base(path)) - 1);

	must(parent && path_mkdir_all(parent, NULL) == 0, "create a folder");
	must(io_write_file(path, bytes, len, mode, NULL) == 0, path);
	must(chmod(path, mode) == 0, path);
	return path;
}

const char *scratch_text(const struct scratch *s, const char *name, const char *text)
{
	return scratch_write(s, name, text, strlen(text), 0644);
}
