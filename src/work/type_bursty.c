// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "base/clock.h"
#include "work/types.h"

enum { BURN_US, SLEEP_US };

static void run(struct work_self *self)
{
	uint64_t burn_ns = self->params[BURN_US] * NSEC_PER_USEC;
	uint64_t sleep_ns = self->params[SLEEP_US] * NSEC_PER_USEC;

	while (work_goes_on(self)) {
		work_burn_until(self, work_sign(self) + burn_ns);
		work_did(self);
		work_sleep_until(self, work_sign(self) + sleep_ns);
	}
}

const struct work_ops work_ops_bursty = { .wakes = true, .run = run };
