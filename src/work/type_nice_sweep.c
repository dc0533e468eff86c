// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>

#include "work/types.h"

enum { UNITS, NICE_LOWEST = -20, NICE_HIGHEST = 19 };

static void run(struct work_self *self)
{
	int nice = NICE_LOWEST;

	while (work_goes_on(self)) {
		if (setpriority(PRIO_PROCESS, 0, nice) < 0) {
			char what[32];

			snprintf(what, sizeof(what), "setpriority %d", nice);
			work_trouble(self, what, errno);
			return;
		}
		work_burn(self, self->params[UNITS]);
		work_did(self);
		nice = nice == NICE_HIGHEST ? NICE_LOWEST : nice + 1;
	}
}

const struct work_ops work_ops_nice_sweep = { .busy = true, .changes_policy = true, .run = run };
