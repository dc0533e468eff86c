// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "guest/modules.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/module.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

#ifndef MODULE_INIT_COMPRESSED_FILE
#define MODULE_INIT_COMPRESSED_FILE 4
#endif

static int is_module(const struct dirent *entry)
{
	return strstr(entry->d_name, ".ko") != NULL;
}

static int load_one(int dir_fd, const char *name, struct ktstr_error *err)
{
	_cleanup_close_ int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	const char *end = strrchr(name, '.');
	int flags = strcmp(end, ".ko") == 0 ? 0 : MODULE_INIT_COMPRESSED_FILE;

	if (fd < 0)
		return ktstr_error_set(err, -errno, "open module '%s': %s", name, strerror(errno));
	if (syscall(SYS_finit_module, fd, "", flags) < 0 && errno != EEXIST)
		return ktstr_error_set(err, -errno, "load module '%s': %s", name, strerror(errno));
	return 0;
}

int modules_load(const char *dir, struct ktstr_error *err)
{
	_cleanup_close_ int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent **entries;
	int nr, r = 0;

	if (dir_fd < 0 && errno == ENOENT)
		return 0;
	if (dir_fd < 0)
		return ktstr_error_set(err, -errno, "open '%s': %s", dir, strerror(errno));
	nr = scandir(dir, &entries, is_module, alphasort);
	if (nr < 0)
		return ktstr_error_set(err, -errno, "list '%s': %s", dir, strerror(errno));
	for (int i = 0; i < nr; i++) {
		if (r == 0)
			r = load_one(dir_fd, entries[i]->d_name, err);
		free(entries[i]);
	}
	free(entries);
	return r;
}
