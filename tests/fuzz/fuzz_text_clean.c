// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever comes in, JSON takes what comes out, and no control character but two is in it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strbuf out = STRBUF_INIT;
	json_t *string;

	if (!size)
		return 0;
	text_add_clean(&out, data + 1, size - 1, data[0]);
	string = json_stringn(strbuf_str(&out), out.len);
	if (!string)
		abort();
	for (size_t i = 0; i < out.len; i++)
		if ((unsigned char)out.data[i] < ' ' && out.data[i] != '\n' && out.data[i] != '\t')
			abort();
	json_decref(string);
	strbuf_deinit(&out);
	return 0;
}
