// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <sched.h>

#include "base/clock.h"
#include "work/types.h"

enum { PRIORITY, BURN_US, SLEEP_US };

static void run(struct work_self *self)
{
	const struct sched_param param = { .sched_priority = (int)self->params[PRIORITY] };
	uint64_t burn_ns = self->params[BURN_US] * NSEC_PER_USEC;
	uint64_t sleep_ns = self->params[SLEEP_US] * NSEC_PER_USEC;

	if (sched_setscheduler(0, SCHED_FIFO, &param) < 0) {
		work_trouble(self, "sched_setscheduler SCHED_FIFO", errno);
		return;
	}
	while (work_goes_on(self)) {
		work_burn_until(self, work_sign(self) + burn_ns);
		work_did(self);
		work_sleep_until(self, work_sign(self) + sleep_ns);
	}
}

const struct work_ops work_ops_rt_hog = { .wakes = true, .changes_policy = true, .run = run };
