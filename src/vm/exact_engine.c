// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "vm/exact_engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"

extern const char ktstr_exact_engine_start[], ktstr_exact_engine_end[];
extern char **environ;

enum { FIRST_BYTES = 64, LOWEST_FD = 3 };

static const char preload[] = "LD_PRELOAD=";

int exact_engine_open(struct ktstr_error *err)
{
	size_t size = (size_t)(ktstr_exact_engine_end - ktstr_exact_engine_start);
	_cleanup_close_ int low = memfd_create("ktstr-exact-engine", MFD_CLOEXEC), fd = -1;
	int r;

	if (low < 0)
		return ktstr_error_set(err, -errno, "memfd: %s", strerror(errno));
	fd = fcntl(low, F_DUPFD_CLOEXEC, LOWEST_FD);
	if (fd < 0)
		return ktstr_error_set(err, -errno, "memfd: %s", strerror(errno));
	r = io_write_all(fd, ktstr_exact_engine_start, size);
	if (r < 0)
		return ktstr_error_set(err, r, "memfd: %s", strerror(-r));
	return take_fd(&fd);
}

char **exact_engine_environment(int fd)
{
	size_t nr = 0, kept = 1;
	char **env, *first;

	while (environ[nr])
		nr++;
	env = malloc((nr + 2) * sizeof(*env) + FIRST_BYTES);
	if (!env)
		return NULL;
	first = (char *)(env + nr + 2);
	snprintf(first, FIRST_BYTES, "%s/proc/self/fd/%d", preload, fd);
	env[0] = first;
	for (size_t i = 0; i < nr; i++)
		if (strncmp(environ[i], preload, sizeof(preload) - 1) != 0)
			env[kept++] = environ[i];
	env[kept] = NULL;
	return env;
}
