// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int touch_entry(void *arg, const struct cpio_entry *e)
{
	volatile unsigned char *sum = arg;
	const unsigned char *bytes = e->data;

	if (e->name[0] == '/' || strstr(e->name, "..") == e->name)
		abort();
	for (uint32_t i = 0; i < e->size; i++)
		*sum ^= bytes[i];
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ktstr_error err;
	unsigned char sum = 0;

	if (cpio_read(data, size, touch_entry, &sum, &err) < 0 && !err.code)
		abort();
	return 0;
}
