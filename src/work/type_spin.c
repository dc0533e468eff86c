// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "work/types.h"

enum { UNITS };

static void run(struct work_self *self)
{
	while (work_goes_on(self)) {
		work_burn(self, self->params[UNITS]);
		work_did(self);
	}
}

const struct work_ops work_ops_spin = { .busy = true, .run = run };
