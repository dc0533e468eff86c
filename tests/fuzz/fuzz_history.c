// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stddef.h>
#include <stdint.h>

#include "run/history.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ktstr_error err;
	struct history h = { 0 };
	const char *key;
	json_t *entry;

	if (history_parse((const char *)data, size, &h.tests, &err) < 0)
		return 0;
	json_object_foreach(h.tests, key, entry)
	{
		if (!history_expect(&h, key))
			__builtin_trap();
	}
	json_decref(h.tests);
	return 0;
}
