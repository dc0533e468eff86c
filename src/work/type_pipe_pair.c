// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "work/types.h"

enum { UNITS };

/* Each member reads from its own pipe and writes to the other's. */
struct common {
	int pipes[2][2];
};

static int open_pipes(const struct work_self *first)
{
	struct common *common = first->common;

	if (pipe2(common->pipes[0], O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(common->pipes[1], O_CLOEXEC) < 0) {
		int r = -errno;

		close(common->pipes[0][0]);
		close(common->pipes[0][1]);
		return r;
	}
	return 0;
}

static void close_pipes(const struct work_self *first)
{
	const struct common *common = first->common;

	for (int i = 0; i < 4; i++)
		close(common->pipes[i / 2][i % 2]);
}

static void pass(struct work_self *self)
{
	const struct common *common = self->common;

	work_burn(self, self->params[UNITS]);
	work_note_wake(self, !self->member);
	if (write(common->pipes[!self->member][1], "", 1) < 0 && errno != EINTR)
		work_trouble(self, "write to a pipe", errno);
}

static void take(struct work_self *self)
{
	const struct common *common = self->common;
	ssize_t n;
	char byte;

	work_wait_begin(self);
	do {
		n = read(common->pipes[self->member][0], &byte, 1);
	} while (n < 0 && errno == EINTR && !work_is_stopped(self));
	if (n < 0 && errno != EINTR)
		work_trouble(self, "read from a pipe", errno);
	work_wait_end(self);
}

static void run(struct work_self *self)
{
	while (work_goes_on(self)) {
		if (self->member == 0)
			pass(self);
		take(self);
		if (self->member != 0 && !work_is_stopped(self))
			pass(self);
		if (!work_is_stopped(self))
			work_did(self);
	}
}

const struct work_ops work_ops_pipe_pair = { .wakes = true,
					     .common_bytes = sizeof(struct common),
					     .open = open_pipes,
					     .close = close_pipes,
					     .run = run };
