// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/admission.h"

#include <limits.h>

enum admission admission_decide(const struct admission_need *need, const struct admission_use *use,
				const struct admission_room *room)
{
	if (need->cpus > room->cpus || need->memory_bytes > room->memory_bytes ||
	    need->address_bytes > room->address_bytes)
		return ADMISSION_NEVER;
	if (need->memory_bytes > room->available_bytes)
		return use->jobs ? ADMISSION_WAIT : ADMISSION_NEVER;
	if (use->jobs >= room->jobs || need->cpus > room->cpus - use->cpus ||
	    need->memory_bytes > room->memory_bytes - use->memory_bytes)
		return ADMISSION_WAIT;
	return ADMISSION_START;
}

int admission_pick(const struct admission_need *waiting, size_t nr, unsigned int passed,
		   const struct admission_use *use, const struct admission_room *room)
{
	for (size_t i = 0; i < nr && i < INT_MAX; i++) {
		if (i > 0 && passed >= ADMISSION_PASSES)
			return -1;
		if (admission_decide(&waiting[i], use, room) == ADMISSION_START)
			return (int)i;
	}
	return -1;
}

void admission_add(struct admission_use *use, const struct admission_need *need)
{
	use->jobs++;
	use->cpus += need->cpus;
	use->memory_bytes += need->memory_bytes;
}

void admission_sub(struct admission_use *use, const struct admission_need *need)
{
	use->jobs--;
	use->cpus -= need->cpus;
	use->memory_bytes -= need->memory_bytes;
}
