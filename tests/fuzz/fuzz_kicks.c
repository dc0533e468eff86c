// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "scenario/engine_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A number is known or it is none. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = strndup((const char *)data, size);
	struct engine_cpu cpus[ENGINE_CPUS] = { 0 };
	int r = text ? engine_kicks_parse(text, cpus) : 0;

	for (size_t i = 0; r == 0 && i < ENGINE_CPUS; i++)
		if (!cpus[i].has_kicks && cpus[i].kicks)
			abort();
	return 0;
}
