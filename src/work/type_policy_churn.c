// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <sched.h>

#include "work/types.h"

enum { UNITS, NR_POLICIES = 3 };

static void run(struct work_self *self)
{
	static const int policies[NR_POLICIES] = { SCHED_OTHER, SCHED_BATCH, SCHED_IDLE };
	static const char *const names[NR_POLICIES] = { "sched_setscheduler SCHED_OTHER",
							"sched_setscheduler SCHED_BATCH",
							"sched_setscheduler SCHED_IDLE" };
	const struct sched_param param = { .sched_priority = 0 };

	for (uint32_t i = 0; work_goes_on(self); i = (i + 1) % NR_POLICIES) {
		if (sched_setscheduler(0, policies[i], &param) < 0) {
			work_trouble(self, names[i], errno);
			return;
		}
		work_burn(self, self->params[UNITS]);
		work_did(self);
	}
}

const struct work_ops work_ops_policy_churn = { .busy = true, .changes_policy = true, .run = run };
