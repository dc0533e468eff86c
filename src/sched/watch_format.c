// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "sched/watch_format.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/parse.h"

enum { OFFSET_MAX = 4096, SIZE_MAX_BYTES = 256, NUMBER_BYTES = 12 };

/* The number behind @key on a line. */
static int number_of(const char *line, size_t len, const char *key, uint32_t *ret)
{
	const char *at = memmem(line, len, key, strlen(key));
	char text[NUMBER_BYTES] = "";
	size_t n = 0;

	if (!at)
		return -EINVAL;
	at += strlen(key);
	while (at + n < line + len && at[n] != ';' && n < sizeof(text) - 1)
		n++;
	memcpy(text, at, n);
	return parse_u32(text, ret);
}

/* Is the declaration "field:TYPE NAME" or "field:TYPE NAME[N]" one of @name? */
static bool declares(const char *line, size_t len, const char *name)
{
	const char *end = memchr(line, ';', len), *start;
	size_t n = strlen(name);

	if (!end)
		return false;
	if (end > line && end[-1] == ']')
		while (end > line && *end != '[')
			end--;
	start = end;
	while (start > line && start[-1] != ' ' && start[-1] != '*')
		start--;
	return (size_t)(end - start) == n && !memcmp(start, name, n);
}

int watch_format_field(const char *text, const char *name, struct watch_field *ret_field)
{
	struct watch_field field;

	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		size_t len = strcspn(line, "\n");

		while (len && (*line == ' ' || *line == '\t')) {
			line++;
			len--;
		}
		if (strncmp(line, "field:", 6) != 0 || !declares(line, len, name))
			continue;
		if (number_of(line, len, "offset:", &field.offset) < 0 ||
		    number_of(line, len, "size:", &field.size) < 0)
			return -EINVAL;
		if (field.offset > OFFSET_MAX || !field.size || field.size > SIZE_MAX_BYTES)
			return -EINVAL;
		*ret_field = field;
		return 0;
	}
	return -ENOENT;
}
