// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "work/types.h"

enum { BYTES };

static void touch(struct work_self *self, volatile uint8_t *memory, uint64_t page)
{
	for (uint64_t at = 0; at < self->params[BYTES] && !work_is_stopped(self); at += page) {
		memory[at] = 1;
		work_count_unit(self);
	}
}

static void run(struct work_self *self)
{
	uint64_t bytes = self->params[BYTES], page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint8_t *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED) {
		work_trouble(self, "mmap", errno);
		return;
	}
	/* A kernel without huge pages refuses, and has none. */
	madvise(memory, bytes, MADV_NOHUGEPAGE);
	while (work_goes_on(self)) {
		touch(self, memory, page);
		if (madvise(memory, bytes, MADV_DONTNEED) < 0)
			work_trouble(self, "madvise", errno);
		work_sign(self);
		work_did(self);
	}
	munmap(memory, bytes);
}

const struct work_ops work_ops_faults = { .busy = true, .run = run };
