// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "base/clock.h"
#include "work/types.h"

enum { GROUP, UNITS, PAUSE_US };

struct common {
	_Atomic uint32_t round;
};

static void call(struct work_self *self)
{
	struct common *common = self->common;

	while (work_goes_on(self)) {
		work_sleep_until(self, work_sign(self) + self->params[PAUSE_US] * NSEC_PER_USEC);
		for (uint32_t i = 1; i < self->group_size; i++)
			work_note_wake(self, i);
		work_call_all(&common->round);
		work_did(self);
	}
}

static void run(struct work_self *self)
{
	struct common *common = self->common;
	uint32_t seen = 0;

	if (self->member == 0) {
		call(self);
		return;
	}
	while (work_goes_on(self)) {
		if (!work_wait_word(self, &common->round, seen))
			return;
		seen = atomic_load(&common->round);
		work_burn(self, self->params[UNITS]);
		work_did(self);
	}
}

const struct work_ops work_ops_herd = { .wakes = true,
					.common_bytes = sizeof(struct common),
					.run = run };
