// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "process.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool process_is_dead(pid_t pid)
{
	char path[64], text[256] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return true;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return !text[0] || strstr(text, ") Z ") || strstr(text, ") X ");
}

void process_wait_dead(pid_t pid)
{
	while (!process_is_dead(pid))
		sched_yield();
}
