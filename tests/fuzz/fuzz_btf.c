// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/ops_offsets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *offsets = NULL;

	if (ops_offsets_from_btf(data, size, &offsets, NULL) == 0 && !json_object_size(offsets))
		abort();
	json_decref(offsets);
	return 0;
}
