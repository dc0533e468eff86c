// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ctprof/snapshot.h"

enum { DIGIT_BITS = 8, DIGITS = 1 << DIGIT_BITS, KEY_BITS = 64 };

static unsigned int digit(const struct place *place, unsigned int shift)
{
	return place->key >> shift & (DIGITS - 1);
}

/* By one digit, from one list to the other. */
static void deal(const struct place *from, struct place *to, size_t nr, unsigned int shift)
{
	size_t starts[DIGITS] = { 0 }, start = 0;

	for (size_t i = 0; i < nr; i++)
		starts[digit(&from[i], shift)]++;
	for (unsigned int d = 0; d < DIGITS; d++) {
		size_t count = starts[d];

		starts[d] = start;
		start += count;
	}
	for (size_t i = 0; i < nr; i++)
		to[starts[digit(&from[i], shift)]++] = from[i];
}

static bool in_order(const struct place *places, size_t nr)
{
	for (size_t i = 1; i < nr; i++)
		if (places[i - 1].key > places[i].key)
			return false;
	return true;
}

int places_sort(struct place *places, size_t nr)
{
	_cleanup_free_ struct place *room = NULL;
	struct place *from = places, *to;
	uint64_t differing = 0;

	if (in_order(places, nr))
		return 0;
	to = room = calloc(nr, sizeof(*room));
	if (!room)
		return -ENOMEM;
	for (size_t i = 1; i < nr; i++)
		differing |= places[i].key ^ places[0].key;
	for (unsigned int shift = 0; shift < KEY_BITS; shift += DIGIT_BITS) {
		struct place *dealt = to;

		if (!(differing >> shift & (DIGITS - 1)))
			continue;
		deal(from, to, nr, shift);
		to = from;
		from = dealt;
	}
	if (from != places)
		memcpy(places, from, nr * sizeof(*places));
	return 0;
}
