// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "work/types.h"

enum { UNITS };

static void run(struct work_self *self)
{
	work_burn(self, self->params[UNITS]);
	if (work_is_stopped(self))
		return;
	work_did(self);
	work_finish(self);
}

const struct work_ops work_ops_once = { .busy = true, .ends = true, .run = run };
