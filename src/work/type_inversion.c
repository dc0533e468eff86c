// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <linux/futex.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "work/types.h"

enum { HOLD_UNITS, PAUSE_US, INHERIT };
enum { LOW, MIDDLE, HIGH };

/* A round: LOW takes the lock and calls the others, HIGH gets the lock after it, MIDDLE burns until
 * then. */
struct common {
	struct work_lock lock;
	_Atomic uint32_t owner;	  /* tid, with the kernel's flags: the lock that inherits */
	_Atomic uint32_t burning; /* rounds whose lock HIGH has not got yet: 0 or 1 */
	_Atomic uint32_t holders;
	struct work_bell bells[3];
};

static bool lock_inheriting(struct work_self *self)
{
	struct common *common = self->common;
	uint32_t free = 0;
	bool got;

	if (atomic_compare_exchange_strong(&common->owner, &free,
					   (uint32_t)atomic_load(&self->seat->tid)))
		return true;
	work_wait_begin(self);
	do {
		got = syscall(SYS_futex, &common->owner, FUTEX_LOCK_PI, 0, NULL, NULL, 0) == 0;
	} while (!got && (errno == EINTR || errno == EAGAIN) && !work_is_stopped(self));
	if (!got && errno != EINTR && errno != EAGAIN)
		work_trouble(self, "futex FUTEX_LOCK_PI", errno);
	work_wait_end(self);
	return got;
}

static void unlock_inheriting(struct work_self *self)
{
	struct common *common = self->common;
	uint32_t own = (uint32_t)atomic_load(&self->seat->tid);

	if (self->member == LOW)
		work_note_wake(self, HIGH);
	if (!atomic_compare_exchange_strong(&common->owner, &own, 0) &&
	    syscall(SYS_futex, &common->owner, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) < 0)
		work_trouble(self, "futex FUTEX_UNLOCK_PI", errno);
}

static bool lock(struct work_self *self)
{
	struct common *common = self->common;
	bool got = self->params[INHERIT] ? lock_inheriting(self) : work_lock(self, &common->lock);

	if (got && atomic_fetch_add(&common->holders, 1) != 0)
		work_trouble(self, "lock held twice", EPROTO);
	return got;
}

static void unlock(struct work_self *self)
{
	struct common *common = self->common;

	atomic_fetch_sub(&common->holders, 1);
	if (self->params[INHERIT])
		unlock_inheriting(self);
	else
		work_unlock(self, &common->lock);
}

static void be_low(struct work_self *self)
{
	struct common *common = self->common;

	while (work_goes_on(self)) {
		if (!lock(self))
			return;
		atomic_store(&common->burning, 1);
		work_ring(self, &common->bells[HIGH], HIGH);
		work_ring(self, &common->bells[MIDDLE], MIDDLE);
		work_burn(self, self->params[HOLD_UNITS]);
		unlock(self);
		if (!work_wait_bell(self, &common->bells[LOW]))
			return;
		work_did(self);
		work_sleep_until(self, work_sign(self) + self->params[PAUSE_US] * NSEC_PER_USEC);
	}
}

static void be_middle(struct work_self *self)
{
	struct common *common = self->common;

	while (work_goes_on(self)) {
		if (!work_wait_bell(self, &common->bells[MIDDLE]))
			return;
		do {
			work_burn(self, 1);
		} while (atomic_load(&common->burning) && !work_is_stopped(self));
		work_did(self);
	}
}

static void be_high(struct work_self *self)
{
	struct common *common = self->common;

	while (work_goes_on(self)) {
		if (!work_wait_bell(self, &common->bells[HIGH]) || !lock(self))
			return;
		atomic_store(&common->burning, 0);
		work_burn(self, 1);
		unlock(self);
		work_ring(self, &common->bells[LOW], LOW);
		work_did(self);
	}
}

static void run(struct work_self *self)
{
	static const int nices[] = { [LOW] = 19, [MIDDLE] = 0, [HIGH] = -10 };
	int nice = nices[self->member];

	if (setpriority(PRIO_PROCESS, 0, nice) < 0) {
		char what[32];

		snprintf(what, sizeof(what), "setpriority %d", nice);
		work_trouble(self, what, errno);
		return;
	}
	if (self->member == LOW)
		be_low(self);
	else if (self->member == MIDDLE)
		be_middle(self);
	else
		be_high(self);
}

const struct work_ops work_ops_inversion = {
	.wakes = true, .changes_policy = true, .common_bytes = sizeof(struct common), .run = run
};
