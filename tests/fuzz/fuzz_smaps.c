// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdint.h>
#include <stdlib.h>

#include "ctprof/procfs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ktstr_ctprof_leader leader = { 0 };

	if (procfs_parse_smaps_rollup((struct span){ (const char *)data, size }, &leader) > 0)
		abort();
	for (unsigned int i = 0; i < KTSTR_CTPROF_NR_LEADER_METRICS; i++)
		if (leader.present >> i & 1 && (leader.values[i] < 0 || leader.values[i] % 1024))
			abort();
	return 0;
}
