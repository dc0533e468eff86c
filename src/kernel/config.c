// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "kernel/config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/io.h"
#include "base/parse.h"

int config_value(const char *text, const char *option, char *buf, size_t size)
{
	size_t len;

	if (!strncmp(option, "CONFIG_", 7))
		option += 7;
	len = strlen(option);
	if (!len)
		return -EINVAL;
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		if (strncmp(line, "CONFIG_", 7) || strncmp(line + 7, option, len) ||
		    line[7 + len] != '=')
			continue;
		line += 8 + len;
		snprintf(buf, size, "%.*s", (int)strcspn(line, "\r\n"), line);
		return 0;
	}
	return -ENOENT;
}

static enum ktstr_kernel_fact fact(const char *text, const char *option)
{
	char value[8];

	if (config_value(text, option, value, sizeof(value)) < 0)
		return KTSTR_KERNEL_NO;
	return !strcmp(value, "y") || !strcmp(value, "m") ? KTSTR_KERNEL_YES : KTSTR_KERNEL_NO;
}

void config_facts(const char *text, struct ktstr_kernel *kernel)
{
	char hz[16];

	kernel->sched_ext = fact(text, "SCHED_CLASS_EXT");
	kernel->btf = fact(text, "DEBUG_INFO_BTF");
	kernel->schedstats = fact(text, "SCHEDSTATS");
	if (config_value(text, "HZ", hz, sizeof(hz)) < 0 || parse_u32(hz, &kernel->hz) < 0)
		kernel->hz = 0;
}

enum ktstr_kernel_fact ktstr_kernel_config(const struct ktstr_kernel *kernel, const char *option)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(CONFIG_MAX_BYTES);

	if (!kernel->config_path[0] || io_read_file(kernel->config_path, &text, NULL) < 0)
		return KTSTR_KERNEL_UNKNOWN;
	return fact(strbuf_str(&text), option);
}
