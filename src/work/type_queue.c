// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "base/clock.h"
#include "work/types.h"

enum { GROUP, ITEMS_PER_S, UNITS, DEPTH };

/* Items are only counted: from head to tail are those that nobody has taken yet. */
struct common {
	_Atomic uint64_t head, tail;
	_Atomic uint32_t full;	/* the producer waits for room */
	_Atomic uint32_t ended; /* it puts in no more */
	_Atomic uint32_t idle[WORK_GROUP_MAX];
	struct work_bell bells[WORK_GROUP_MAX];
};

/* One that waits is told; in turn, so that all have the same share in the long run. */
static void tell_one(struct work_self *self, uint32_t *turn)
{
	struct common *common = self->common;

	for (uint32_t i = 1; i < self->group_size; i++) {
		*turn = *turn % (self->group_size - 1) + 1;
		if (atomic_exchange(&common->idle[*turn], 0)) {
			work_ring(self, &common->bells[*turn], *turn);
			return;
		}
	}
}

static bool wait_for_room(struct work_self *self)
{
	struct common *common = self->common;
	bool waited = false;

	while (atomic_load(&common->tail) - atomic_load(&common->head) >= self->params[DEPTH] &&
	       !work_is_stopped(self)) {
		waited = true;
		atomic_store(&common->full, 1);
		if (atomic_load(&common->tail) - atomic_load(&common->head) >= self->params[DEPTH])
			work_wait_bell(self, &common->bells[0]);
	}
	return waited;
}

static void produce(struct work_self *self)
{
	struct common *common = self->common;
	uint64_t interval_ns = NSEC_PER_SEC / self->params[ITEMS_PER_S];
	uint64_t due_ns = work_sign(self);
	uint32_t turn = 0;

	while (work_goes_on(self)) {
		due_ns += interval_ns;
		work_sleep_until(self, due_ns);
		if (wait_for_room(self))
			due_ns = work_sign(self);
		if (work_is_stopped(self))
			break;
		atomic_fetch_add(&common->tail, 1);
		tell_one(self, &turn);
		work_did(self);
	}
	atomic_store(&common->ended, 1);
	for (uint32_t i = 1; i < self->group_size; i++)
		work_ring(self, &common->bells[i], i);
}

static bool take(struct common *common)
{
	uint64_t head = atomic_load(&common->head);

	while (head < atomic_load(&common->tail)) {
		if (atomic_compare_exchange_weak(&common->head, &head, head + 1))
			return true;
	}
	return false;
}

static void consume(struct work_self *self)
{
	struct common *common = self->common;

	while (work_goes_on(self)) {
		if (take(common)) {
			if (atomic_exchange(&common->full, 0))
				work_ring(self, &common->bells[0], 0);
			work_burn(self, self->params[UNITS]);
			work_did(self);
			continue;
		}
		if (atomic_load(&common->ended)) {
			work_finish(self);
			return;
		}
		atomic_store(&common->idle[self->member], 1);
		if (atomic_load(&common->head) == atomic_load(&common->tail) &&
		    !atomic_load(&common->ended))
			work_wait_bell(self, &common->bells[self->member]);
		atomic_store(&common->idle[self->member], 0);
	}
}

static void run(struct work_self *self)
{
	if (self->member == 0)
		produce(self);
	else
		consume(self);
}

const struct work_ops work_ops_queue = { .wakes = true,
					 .common_bytes = sizeof(struct common),
					 .run = run };
