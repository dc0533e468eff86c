// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first line is the option that is looked for. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	struct ktstr_kernel kernel = { 0 };
	char value[8], *rest;

	if (!text)
		abort();
	config_facts(text, &kernel);
	rest = strchr(text, '\n');
	if (rest) {
		*rest = '\0';
		if (config_value(rest + 1, text, value, sizeof(value)) == 0 &&
		    strlen(value) >= sizeof(value))
			abort();
	}
	free(text);
	return 0;
}
