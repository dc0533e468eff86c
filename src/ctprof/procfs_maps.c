// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof/procfs.h"

static int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool take_hex(struct span *s, uint64_t *ret_value)
{
	uint64_t value = 0;
	size_t nr = 0;

	while (s->len && hex_digit(*s->at) >= 0) {
		value = value << 4 | (uint64_t)hex_digit(*s->at);
		advance(s, 1);
		nr++;
	}
	*ret_value = value;
	return nr > 0 && nr <= 16;
}

static bool parse_map(struct span line, struct procfs_map *map)
{
	uint64_t dev_major, dev_minor;
	struct span modes;
	int64_t inode;

	if (!take_hex(&line, &map->start) || !take_prefix(&line, "-") ||
	    !take_hex(&line, &map->end) || !next_word(&line, &modes) || modes.len != 4)
		return false;
	skip_blanks(&line);
	if (!take_hex(&line, &map->offset) || !take_prefix(&line, " ") ||
	    !take_hex(&line, &dev_major) || !take_prefix(&line, ":") ||
	    !take_hex(&line, &dev_minor) || !take_prefix(&line, " ") ||
	    take_digits(&line, &inode) < 0)
		return false;
	skip_blanks(&line);
	map->executable = modes.at[2] == 'x';
	map->dev_major = (uint32_t)dev_major;
	map->dev_minor = (uint32_t)dev_minor;
	map->inode = (uint64_t)inode;
	map->path = line;
	return map->start < map->end;
}

bool procfs_next_map(struct span *text, struct procfs_map *ret_map)
{
	struct span line;

	while (next_line(text, &line))
		if (parse_map(line, ret_map))
			return true;
	return false;
}
