// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include <ktstr/topology.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever is accepted must be possible and must survive being written and read again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = strndup((const char *)data, size);
	struct ktstr_topology t, again;
	char name[KTSTR_TOPOLOGY_TEXT];

	if (!text || ktstr_topology_parse(text, &t, NULL) < 0)
		return 0;
	if (ktstr_topology_nr_cpus(&t) > KTSTR_TOPOLOGY_MAX_CPUS)
		abort();
	ktstr_topology_format(&t, name, sizeof(name));
	if (ktstr_topology_parse(name, &again, NULL) < 0 || memcmp(&t, &again, sizeof(t)))
		abort();
	return 0;
}
