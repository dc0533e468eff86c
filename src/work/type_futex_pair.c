// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "work/types.h"

enum { UNITS };

struct common {
	struct work_bell bells[2];
};

static void pass(struct work_self *self)
{
	struct common *common = self->common;

	work_burn(self, self->params[UNITS]);
	work_ring(self, &common->bells[!self->member], !self->member);
}

static void run(struct work_self *self)
{
	struct common *common = self->common;

	while (work_goes_on(self)) {
		if (self->member == 0)
			pass(self);
		if (!work_wait_bell(self, &common->bells[self->member]))
			return;
		if (self->member != 0)
			pass(self);
		work_did(self);
	}
}

const struct work_ops work_ops_futex_pair = { .wakes = true,
					      .common_bytes = sizeof(struct common),
					      .run = run };
