// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "base/clock.h"
#include "work/types.h"

enum { GROUP, UNITS, THINK_US };

struct common {
	_Atomic uint32_t round;
	_Atomic uint32_t done;
	struct work_bell all_done;
};

static void wake_others(struct work_self *self)
{
	struct common *common = self->common;

	while (work_goes_on(self)) {
		work_sleep_until(self, work_sign(self) + self->params[THINK_US] * NSEC_PER_USEC);
		atomic_store(&common->done, 0);
		for (uint32_t i = 1; i < self->group_size; i++)
			work_note_wake(self, i);
		work_call_all(&common->round);
		if (!work_wait_bell(self, &common->all_done))
			return;
		work_did(self);
	}
}

static void follow(struct work_self *self)
{
	struct common *common = self->common;
	uint32_t seen = 0;

	while (work_goes_on(self)) {
		if (!work_wait_word(self, &common->round, seen))
			return;
		seen++;
		work_burn(self, self->params[UNITS]);
		work_did(self);
		if (atomic_fetch_add(&common->done, 1) + 2 == self->group_size)
			work_ring(self, &common->all_done, 0);
	}
}

static void run(struct work_self *self)
{
	if (self->member == 0)
		wake_others(self);
	else
		follow(self);
}

const struct work_ops work_ops_futex_fanout = { .wakes = true,
						.common_bytes = sizeof(struct common),
						.run = run };
