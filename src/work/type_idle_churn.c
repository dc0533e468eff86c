// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "base/clock.h"
#include "work/types.h"

enum { UNITS, SLEEP_US };

static void run(struct work_self *self)
{
	/* From nothing to twice that, so that it is the mean. */
	uint64_t range_ns = 2 * self->params[SLEEP_US] * NSEC_PER_USEC;

	while (work_goes_on(self)) {
		work_burn(self, self->params[UNITS]);
		work_did(self);
		work_sleep_until(self, work_sign(self) + 1 + prng_below(&self->chance, range_ns));
	}
}

const struct work_ops work_ops_idle_churn = { .wakes = true, .run = run };
