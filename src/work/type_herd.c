// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "base/clock.h"
#include "work/types.h"

enum { GROUP, UNITS, PAUSE_US };

struct common {
	_Atomic uint32_t round;
	_Atomic bool ended; /* whoever missed a round would wait for ever */
};

static void call_others(struct work_self *self)
{
	struct common *common = self->common;

	for (uint32_t i = 1; i < self->group_size; i++)
		work_note_wake(self, i);
	work_call_all(&common->round);
}

static void be_caller(struct work_self *self)
{
	struct common *common = self->common;

	while (work_goes_on(self)) {
		work_sleep_until(self, work_sign(self) + self->params[PAUSE_US] * NSEC_PER_USEC);
		call_others(self);
		work_did(self);
	}
	atomic_store(&common->ended, true);
	call_others(self);
}

static void run(struct work_self *self)
{
	struct common *common = self->common;
	uint32_t seen = 0;

	if (self->member == 0) {
		be_caller(self);
		return;
	}
	while (work_goes_on(self)) {
		if (!work_wait_word(self, &common->round, seen))
			return;
		if (atomic_load(&common->ended)) {
			work_finish(self);
			return;
		}
		seen = atomic_load(&common->round);
		work_burn(self, self->params[UNITS]);
		work_did(self);
	}
}

const struct work_ops work_ops_herd = { .wakes = true,
					.common_bytes = sizeof(struct common),
					.run = run };
