// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <sys/mman.h>

#include "work/types.h"

enum { BYTES, STRIDE_BYTES, LINES_PER_UNIT = 1024 };

static void walk(struct work_self *self, uint8_t *memory)
{
	uint64_t nr = 0;

	for (uint64_t at = 0; at < self->params[BYTES]; at += self->params[STRIDE_BYTES]) {
		volatile uint64_t *word = (volatile uint64_t *)(memory + at);

		*word = *word + at;
		if (++nr % LINES_PER_UNIT != 0)
			continue;
		work_count_unit(self);
		if (work_is_stopped(self))
			return;
	}
	work_sign(self);
	work_did(self);
}

static void run(struct work_self *self)
{
	uint64_t bytes = (self->params[BYTES] + 7) & ~UINT64_C(7);
	uint8_t *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED) {
		work_trouble(self, "mmap", errno);
		return;
	}
	while (work_goes_on(self))
		walk(self, memory);
	munmap(memory, bytes);
}

const struct work_ops work_ops_cache = { .busy = true, .run = run };
