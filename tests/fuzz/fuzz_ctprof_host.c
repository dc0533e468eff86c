// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctprof/host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct span part, struct span text)
{
	if (part.len && (part.at < text.at || part.at + part.len > text.at + text.len))
		abort();
}

static void check_words(struct span text)
{
	struct span value;
	int64_t count;

	check_inside(host_chosen_word(text), text);
	if (host_parse_cpuinfo(text, "model name", &value) == 0)
		check_inside(value, text);
	if (host_count_list(text, &count) == 0 && count < 0)
		abort();
}

/* The first byte chooses the file; the text that follows need not end in NUL. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = { (const char *)data + 1, size - 1 };
	struct ktstr_ctprof_host h = { 0 };
	int64_t v;

	if (!size)
		return 0;
	switch (data[0] % 7) {
	case 0:
		host_parse_meminfo(text, &h);
		break;
	case 1:
		host_parse_uptime(text, &h);
		break;
	case 2:
		host_parse_loadavg(text, &h);
		break;
	case 3:
		host_parse_stat(text, &h);
		break;
	case 4:
		host_parse_ext_events(text, &h);
		break;
	case 5:
		host_parse_pressure(text, &h, KTSTR_CTPROF_HOST_PRESSURE_IO_SOME_AVG10);
		break;
	default:
		check_words(text);
	}
	/* Events may count anything; all else is zero or more. */
	for (unsigned int m = 0; m < KTSTR_CTPROF_NR_HOST_METRICS; m++)
		if (data[0] % 7 != 4 && ktstr_ctprof_host_get(&h, m, &v) && v < 0)
			abort();
	return 0;
}
