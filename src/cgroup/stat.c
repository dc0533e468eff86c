// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"
#include "cgroup/cgroup.h"

enum { VALUE_BYTES = 24 };

int cgroup_key_parse(const char *text, const char *key, uint64_t *ret_value)
{
	size_t len = strlen(key);

	for (const char *p = text; *p; p += *p == '\n') {
		size_t line = strcspn(p, "\n");
		char value[VALUE_BYTES];

		if (line > len && !strncmp(p, key, len) && p[len] == ' ') {
			size_t size = line - len - 1;

			if (size >= sizeof(value))
				return -EINVAL;
			memcpy(value, p + len + 1, size);
			value[size] = '\0';
			return parse_u64(value, ret_value) < 0 ? -EINVAL : 0;
		}
		p += line;
	}
	return -ENODATA;
}

static int microseconds(const char *text, const char *key, bool *ret_has, uint64_t *ret_ns)
{
	uint64_t us = 0;
	int r = cgroup_key_parse(text, key, &us);

	if (r == -ENODATA)
		return 0;
	if (r < 0 || us > UINT64_MAX / NSEC_PER_USEC)
		return -EINVAL;
	*ret_has = true;
	*ret_ns = us * NSEC_PER_USEC;
	return 0;
}

int cgroup_stat_parse(const char *text, struct cgroup_stat *ret_stat)
{
	struct cgroup_stat stat = { 0 };
	int r = microseconds(text, "usage_usec", &stat.has_usage, &stat.usage_ns);

	if (r == 0)
		r = microseconds(text, "throttled_usec", &stat.has_throttled, &stat.throttled_ns);
	if (r == 0)
		*ret_stat = stat;
	return r;
}
