// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "vm/guestpath.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpio.h"
#include "base/path.h"

const struct guest_link guest_links[] = {
	{ "bin", "usr/bin", "usr/bin" },
	{ "lib", "usr/lib", "usr/lib" },
	{ "lib64", "usr/lib", "usr/lib" },
	{ "sbin", "usr/bin", "usr/bin" },
	{ "usr/lib64", "lib", "usr/lib" },
	{ "usr/sbin", "bin", "usr/bin" },
	{ NULL, NULL, NULL },
};

static bool is_shortest_form(const char *path)
{
	size_t len;

	if (strlen(path) > CPIO_NAME_MAX)
		return false;
	for (; *path == '/'; path += len) {
		path++;
		len = strcspn(path, "/");
		if (!len || (len == 1 && path[0] == '.') ||
		    (len == 2 && path[0] == '.' && path[1] == '.'))
			return false;
	}
	return !*path;
}

char *guest_path_canonical(const char *path)
{
	if (path[0] != '/' || !is_shortest_form(path))
		return NULL;
	path++;
	for (const struct guest_link *l = guest_links; l->name; l++) {
		size_t len = strlen(l->name);

		if (strncmp(path, l->name, len) || (path[len] && path[len] != '/'))
			continue;
		return path[len] ? path_format("%s%s", l->real, path + len) : NULL;
	}
	return strdup(path);
}
