// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/sources.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	struct source_list lines = { 0 }, paragraphs = { 0 };
	const struct source *mirror;

	if (!text)
		abort();
	if (sources_parse_lines(text, &lines) == 0 && lines.nr > SOURCES_MAX)
		abort();
	if (sources_parse_deb822(text, &paragraphs) == 0 && paragraphs.nr > SOURCES_MAX)
		abort();
	mirror = sources_debian_mirror(&lines);
	if (mirror && (!mirror->uri || !mirror->has_main))
		abort();
	mirror = sources_debian_mirror(&paragraphs);
	if (mirror && (!mirror->uri || !mirror->has_main))
		abort();
	sources_deinit(&lines);
	sources_deinit(&paragraphs);
	free(text);
	return 0;
}
