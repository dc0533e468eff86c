// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "work/types.h"

static void run(struct work_self *self)
{
	const char *argv[KTSTR_WORK_ARGS + 2] = { self->work->program };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int i = 0; i < KTSTR_WORK_ARGS && self->work->args[i]; i++)
		argv[i + 1] = self->work->args[i];
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    dup2(null, STDERR_FILENO) < 0) {
		work_trouble(self, "open /dev/null", errno);
		return;
	}
	execv(self->program, (char *const *)argv);
	work_trouble(self, self->program, errno);
}

const struct work_ops work_ops_program = { .ends = true, .mute = true, .run = run };
