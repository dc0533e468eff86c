// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>

#include "work/types.h"

enum { GROUP, UNITS };

struct common {
	_Atomic uint64_t passes;
	struct work_bell bells[];
};

static void run(struct work_self *self)
{
	struct common *common = self->common;
	uint32_t next = (self->member + 1) % self->group_size;
	bool mine = self->member == 0;

	while (work_goes_on(self)) {
		if (!mine && !work_wait_bell(self, &common->bells[self->member]))
			return;
		mine = false;
		if (atomic_fetch_add(&common->passes, 1) % self->group_size != self->member)
			work_trouble(self, "ring of workers out of order", EPROTO);
		work_burn(self, self->params[UNITS]);
		work_ring(self, &common->bells[next], next);
		work_did(self);
	}
}

const struct work_ops work_ops_wake_chain = { .wakes = true,
					      .common_bytes = sizeof(struct common),
					      .member_bytes = sizeof(struct work_bell),
					      .run = run };
