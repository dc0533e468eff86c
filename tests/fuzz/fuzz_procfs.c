// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctprof/procfs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct span part, struct span text)
{
	if (part.len && (part.at < text.at || part.at + part.len > text.at + text.len))
		abort();
}

static void check_negative(const struct ktstr_ctprof_thread *t)
{
	int64_t v;

	for (unsigned int m = 0; m < KTSTR_CTPROF_NR_METRICS; m++)
		if (ktstr_ctprof_metric_info(m)->type == KTSTR_TYPE_PEAK &&
		    ktstr_ctprof_get(t, m, &v) && v < 0)
			abort();
}

/* The first byte chooses the file; the text that follows need not end in NUL. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = { (const char *)data + 1, size - 1 }, part;
	struct ktstr_ctprof_thread t = { 0 };
	struct procfs_extra extra = { 0 };
	struct procfs_map map;
	int r = 0;

	if (!size)
		return 0;
	switch (data[0] % 8) {
	case 0:
		r = procfs_parse_stat(text, &t, &extra);
		if (memchr(extra.comm, '\0', sizeof(extra.comm)) == NULL)
			abort();
		break;
	case 1:
		r = procfs_parse_status(text, &t, &extra);
		check_inside(extra.affinity, text);
		break;
	case 2:
		r = procfs_parse_schedstat(text, &t);
		break;
	case 3:
		r = procfs_parse_sched(text, &t);
		break;
	case 4:
		r = procfs_parse_io(text, &t);
		break;
	case 5:
		r = procfs_parse_cgroup(text, &part);
		if (r == 0)
			check_inside(part, text);
		break;
	default:
		for (struct span left = text; procfs_next_map(&left, &map);)
			check_inside(map.path, text);
	}
	if (r <= 0)
		check_negative(&t);
	return 0;
}
