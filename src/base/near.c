// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "base/near.h"

#include <stdio.h>
#include <string.h>

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Both shorter than NEAR_WORD. */
static size_t distance(const char *a, const char *b)
{
	size_t rows[3][NEAR_WORD + 1], n = strlen(b);
	size_t *before = rows[0], *above = rows[1], *row = rows[2], *reuse;

	for (size_t j = 0; j <= n; j++)
		above[j] = j;
	memcpy(before, above, sizeof(rows[0]));
	for (size_t i = 0; a[i]; i++) {
		row[0] = i + 1;
		for (size_t j = 0; j < n; j++) {
			row[j + 1] =
				least(above[j] + (a[i] != b[j]), least(above[j + 1], row[j]) + 1);
			if (i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j])
				row[j + 1] = least(row[j + 1], before[j - 1] + 1);
		}
		reuse = before;
		before = above;
		above = row;
		row = reuse;
	}
	return above[n];
}

struct near near_start(const char *word)
{
	size_t len = strlen(word);

	return (struct near){ .word = word, .distance = len < 3 ? len : len / 3 + 1 };
}

void near_offer(struct near *near, const char *name)
{
	size_t d;

	if (strlen(near->word) >= NEAR_WORD || strlen(name) >= NEAR_WORD)
		return;
	d = distance(near->word, name);
	if (d >= near->distance || d >= strlen(name))
		return;
	near->best = name;
	near->distance = d;
}

const char *near_hint(const struct near *near, char *buf, size_t size)
{
	if (near->best)
		snprintf(buf, size, "; did you mean '%s'?", near->best);
	else if (size)
		buf[0] = '\0';
	return buf;
}
