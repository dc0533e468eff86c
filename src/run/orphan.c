// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/orphan.h"

#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/path.h"

enum { ROUNDS = 100 };

void orphan_adopt(void)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
}

static bool is_kept(pid_t pid, const pid_t *keep, size_t nr_keep)
{
	for (size_t i = 0; i < nr_keep; i++)
		if (keep[i] == pid)
			return true;
	return false;
}

/* Return: how many there were. */
static unsigned int kill_listed(char *list, const pid_t *keep, size_t nr_keep)
{
	unsigned int nr = 0;
	uint32_t pid;
	char *word;

	while ((word = strsep(&list, " "))) {
		if (parse_u32(word, &pid) < 0 || is_kept((pid_t)pid, keep, nr_keep))
			continue;
		kill((pid_t)pid, SIGKILL);
		waitpid((pid_t)pid, NULL, 0);
		nr++;
	}
	return nr;
}

void orphan_kill_all(const pid_t *keep, size_t nr_keep)
{
	_cleanup_free_ char *path = path_format("/proc/self/task/%d/children", (int)getpid());

	/* The children of those that were killed come to us in their turn. */
	for (int round = 0; path && round < ROUNDS; round++) {
		_cleanup_strbuf_ struct strbuf list = STRBUF_INIT;

		if (io_read_file(path, &list, NULL) < 0 || !list.len ||
		    !kill_listed(list.data, keep, nr_keep))
			return;
	}
}
