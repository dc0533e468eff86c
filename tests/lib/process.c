// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "process.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
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

bool process_may_trace(void)
{
	pid_t pid = fork();
	bool may;

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	may = pid > 0 && ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0;
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	return may;
}

unsigned int process_count_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int nr = 0;

	if (!dir) {
		perror("open /proc/self/fd");
		exit(1);
	}
	while (readdir(dir))
		nr++;
	closedir(dir);
	return nr;
}
