// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sched/said.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	struct strbuf out = STRBUF_INIT;
	char buf[64];

	if (!text)
		return 0;
	said_find_reason(text, buf, sizeof(buf));
	if (strlen(buf) >= sizeof(buf))
		abort();
	said_find_exit(text, buf, sizeof(buf));
	(void)(said_usage(text) + said_load_failure(text) + said_missing_library(text));
	said_collapse((const char *)data, size, &out);
	strbuf_clear(&out);
	said_last_lines((const char *)data, size, 100, &out);
	if (out.len > 100)
		abort();
	strbuf_deinit(&out);
	free(text);
	return 0;
}
