// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sched/kmsg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strbuf out = STRBUF_INIT;
	struct kmsg kmsg;

	kmsg_open(&kmsg, NULL);
	while (size > 0) {
		const uint8_t *end = memchr(data, 0, size);
		size_t len = end ? (size_t)(end - data) : size;

		kmsg_add(&kmsg, (const char *)data, len);
		data += len + (end != NULL);
		size -= len + (end != NULL);
	}
	kmsg_text(&kmsg, &out);
	if (out.len > KMSG_KEEP_BYTES + 64 || strlen(kmsg.reason) >= sizeof(kmsg.reason))
		abort();
	strbuf_deinit(&out);
	kmsg_close(&kmsg);
	return 0;
}
