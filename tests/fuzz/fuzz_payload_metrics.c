// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "work/payload_metrics.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is kept is finite, named once and within the limits. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const wanted[] = { "a", "a.b", "x.0", NULL };
	static struct metrics metrics;
	struct ktstr_error err;
	double value;
	int r = metrics_parse((const char *)data, size, wanted, &metrics, &err);

	if (metrics.nr > KTSTR_PAYLOAD_VALUES || (r < 0 && metrics.nr))
		abort();
	for (unsigned int i = 0; i < metrics.nr; i++) {
		if (!isfinite(metrics.values[i].value))
			abort();
		if (metrics_get(&metrics, metrics.values[i].name, &value) < 0 ||
		    value != metrics.values[i].value)
			abort();
	}
	return 0;
}
