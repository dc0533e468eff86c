// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sched/implemented.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *offsets = json_pack("{s:i, s:i, s:i}", "sched_ext_ops", 5, "sched_ext_ops.name", 8,
				    "sched_ext_ops.enqueue", 24);
	json_t *names = NULL;

	if (implemented_read_value(offsets, "sched_ext_ops", "odd", data, size, &names) == 0 &&
	    json_array_size(names) > 1)
		abort();
	json_decref(names);
	json_decref(offsets);
	return 0;
}
