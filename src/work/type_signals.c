// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "work/types.h"

enum { UNITS };

struct common {
	_Atomic uint64_t sent[2]; /* to that member */
};

static void nothing(int signal)
{
	(void)signal;
}

static int prepare(struct work_self *self)
{
	struct sigaction action = { .sa_handler = nothing };
	sigset_t set;

	(void)self;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	return sigaction(SIGUSR2, &action, NULL) < 0 ? -errno
						     : -pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void send(struct work_self *self)
{
	struct common *common = self->common;
	const struct work_seat *other = self->seat - self->member + !self->member;

	work_burn(self, self->params[UNITS]);
	work_note_wake(self, !self->member);
	atomic_fetch_add(&common->sent[!self->member], 1);
	if (syscall(SYS_tgkill, atomic_load(&other->pid), atomic_load(&other->tid), SIGUSR2) < 0)
		work_trouble(self, "tgkill", errno);
}

/* Return: whether it came. */
static bool receive(struct work_self *self, uint64_t seen)
{
	struct common *common = self->common;
	sigset_t none;

	sigemptyset(&none);
	work_wait_begin(self);
	while (atomic_load(&common->sent[self->member]) == seen && !work_is_stopped(self))
		sigsuspend(&none);
	work_wait_end(self);
	return atomic_load(&common->sent[self->member]) != seen;
}

static void run(struct work_self *self)
{
	uint64_t seen = 0;

	while (work_goes_on(self)) {
		if (self->member == 0)
			send(self);
		if (work_is_stopped(self) || !receive(self, seen++))
			return;
		if (self->member != 0)
			send(self);
		work_did(self);
	}
}

const struct work_ops work_ops_signals = {
	.wakes = true, .common_bytes = sizeof(struct common), .prepare = prepare, .run = run
};
