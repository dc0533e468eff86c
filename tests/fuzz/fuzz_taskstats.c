// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdint.h>
#include <stdlib.h>

#include "ctprof/taskstats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte says what is known of the kernel, the rest is its structure. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ktstr_ctprof_thread t = { 0 };
	struct taskstats_kernel kernel;
	int64_t v;
	int r;

	if (!size)
		return 0;
	kernel = (struct taskstats_kernel){ data[0] & 1, data[0] & 2, data[0] & 4 };
	r = taskstats_parse(data + 1, size - 1, &kernel, &t);
	if (r > 0)
		abort();
	for (unsigned int m = 0; m < KTSTR_CTPROF_NR_THREAD_METRICS; m++)
		if (ktstr_ctprof_get(&t, m, &v) && (v < 0 || r == -22))
			abort();
	if (!kernel.delays && ktstr_ctprof_get(&t, KTSTR_CTPROF_BLKIO_DELAY_COUNT, &v))
		abort();
	return 0;
}
