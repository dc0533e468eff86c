// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <sched.h>

#include "work/types.h"

enum { UNITS };

void work_burn_and_yield(struct work_self *self)
{
	while (work_goes_on(self)) {
		work_burn(self, self->params[UNITS]);
		sched_yield();
		work_sign(self);
		work_did(self);
	}
}

const struct work_ops work_ops_yield = { .busy = true, .run = work_burn_and_yield };
