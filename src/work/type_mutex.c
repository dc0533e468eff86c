// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>

#include "work/types.h"

enum { GROUP, HOLD_UNITS, OUTSIDE_UNITS };

struct common {
	struct work_lock lock;
	_Atomic uint32_t holders;
};

static void run(struct work_self *self)
{
	struct common *common = self->common;

	while (work_goes_on(self)) {
		if (!work_lock(self, &common->lock))
			return;
		if (atomic_fetch_add(&common->holders, 1) != 0)
			work_trouble(self, "lock held twice", EPROTO);
		work_burn(self, self->params[HOLD_UNITS]);
		atomic_fetch_sub(&common->holders, 1);
		work_unlock(self, &common->lock);
		work_burn(self, self->params[OUTSIDE_UNITS]);
		work_did(self);
	}
}

const struct work_ops work_ops_mutex = { .wakes = true,
					 .common_bytes = sizeof(struct common),
					 .run = run };
