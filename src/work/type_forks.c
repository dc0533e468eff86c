// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "work/types.h"

enum { UNITS };

static void live_shortly(uint64_t units)
{
	uint64_t x = units;

	for (uint64_t i = 0; i < units; i++)
		x = work_unit(x);
	_exit(0);
}

static void run(struct work_self *self)
{
	while (work_goes_on(self)) {
		pid_t pid = fork();

		if (pid == 0)
			live_shortly(self->params[UNITS]);
		if (pid < 0) {
			work_trouble(self, "fork", errno);
			return;
		}
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		work_sign(self);
		work_did(self);
	}
}

const struct work_ops work_ops_forks = { .run = run };
