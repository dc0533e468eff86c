// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "base/clock.h"
#include "work/types.h"

enum { INTERVAL_US, UNITS };

static void run(struct work_self *self)
{
	uint64_t interval_ns = self->params[INTERVAL_US] * NSEC_PER_USEC;
	uint64_t due_ns = work_sign(self) + interval_ns;

	while (work_goes_on(self)) {
		uint64_t now_ns;

		work_sleep_until(self, due_ns);
		work_burn(self, self->params[UNITS]);
		work_did(self);
		now_ns = work_sign(self);
		due_ns += interval_ns;
		if (due_ns < now_ns)
			due_ns += (now_ns - due_ns) / interval_ns * interval_ns + interval_ns;
	}
}

const struct work_ops work_ops_timer = { .wakes = true, .run = run };
