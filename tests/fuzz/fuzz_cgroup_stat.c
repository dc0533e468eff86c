// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cgroup/cgroup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is missing is never a number. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = strndup((const char *)data, size);
	struct cgroup_stat stat;
	uint64_t value = 7;

	if (!text)
		return 0;
	if (cgroup_stat_parse(text, &stat) == 0 &&
	    ((!stat.has_usage && stat.usage_ns) || (!stat.has_throttled && stat.throttled_ns)))
		abort();
	if (cgroup_key_parse(text, "frozen", &value) < 0 && value != 7)
		abort();
	return 0;
}
