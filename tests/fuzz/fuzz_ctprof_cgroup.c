// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctprof/cgroup_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_mounts(struct span text)
{
	static struct cgroup_mounts mounts;

	cgroup_find_mounts(text, &mounts);
	if (mounts.nr > CGROUP_MOUNTS)
		abort();
	for (size_t i = 0; i < mounts.nr; i++) {
		const struct cgroup_mount *m = &mounts.list[i];
		const char *below;

		if (strnlen(m->path, sizeof(m->path)) == sizeof(m->path))
			abort();
		below = cgroup_below(m->path, m->root);
		if (below && !strncmp(below, "../", 3))
			abort();
	}
}

static void check_values(const struct ktstr_ctprof_cgroup *c)
{
	int64_t v;

	for (unsigned int m = 0; m < KTSTR_CTPROF_NR_CGROUP_METRICS; m++)
		if (ktstr_ctprof_cgroup_get(c, m, &v) && v < 0)
			abort();
}

/* The first byte chooses the file; the text that follows need not end in NUL. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = { (const char *)data + 1, size - 1 };
	struct ktstr_ctprof_cgroup c = { 0 };
	int64_t v = 1;
	int r = 0;

	if (!size)
		return 0;
	switch (data[0] % 8) {
	case 0:
		check_mounts(text);
		break;
	case 1:
		r = cgroup_parse_cpu_stat(text, &c);
		break;
	case 2:
		r = cgroup_parse_cpu_max(text, &c);
		break;
	case 3:
		r = cgroup_parse_memory_stat(text, &c);
		break;
	case 4:
		r = cgroup_parse_memory_events(text, &c);
		break;
	case 5:
		r = cgroup_parse_io_stat(text, &c);
		break;
	case 6:
		r = cgroup_parse_pressure(text, &c,
					  size % 2 ? KTSTR_CTPROF_CGROUP_PRESSURE_CPU_SOME_AVG10
						   : KTSTR_CTPROF_CGROUP_PRESSURE_IRQ_FULL_AVG10);
		break;
	default:
		if (cgroup_parse_percent(text, &v) == 0 && v < 0)
			abort();
		r = cgroup_parse_number(text, &v);
	}
	if (r <= 0)
		check_values(&c);
	return 0;
}
