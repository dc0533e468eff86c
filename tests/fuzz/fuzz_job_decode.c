// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>

#include "run/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is accepted can be written again, and then reads the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct job first, second;
	char *text = NULL, *again = NULL;

	if (job_decode((const char *)data, size, &first, NULL) < 0)
		return 0;
	if (job_encode(&first, &text, NULL) == 0) {
		if (job_decode(text, strlen(text), &second, NULL) < 0 ||
		    job_encode(&second, &again, NULL) < 0 || strcmp(text, again) != 0)
			abort();
		job_deinit(&second);
	}
	job_deinit(&first);
	free(text);
	free(again);
	return 0;
}
