// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "work/types.h"

static void did(void *handle, uint64_t iterations)
{
	work_sign(handle);
	work_did_many(handle, iterations);
}

static void run(struct work_self *self)
{
	const struct ktstr_work_context context = { .index = self->index,
						    .count = self->count,
						    .seed = self->seed,
						    .stop = &self->shared->stop,
						    .did = did,
						    .handle = self };

	self->work->run(&context);
	if (!work_is_stopped(self))
		work_finish(self);
}

const struct work_ops work_ops_custom = { .run = run };
