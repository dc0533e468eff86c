// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>

#include "run/runrecord.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is accepted can be written again, and then reads the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct runrecord first, second;
	json_t *object;
	char *text;

	if (runrecord_decode((const char *)data, size, &first, NULL) < 0)
		return 0;
	object = runrecord_to_json(&first);
	text = object ? json_dumps(object, 0) : NULL;
	if (!text || runrecord_decode(text, strlen(text), &second, NULL) < 0 ||
	    memcmp(&first, &second, sizeof(first)) != 0)
		abort();
	json_decref(object);
	free(text);
	return 0;
}
