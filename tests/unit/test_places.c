// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctprof/snapshot.h"

enum { MANY = 5000 };

static int compare(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* The same as any sort, whichever bytes of the keys differ. */
static void keys_are_sorted_and_equal_ones_stay(void **state)
{
	static const uint64_t masks[] = {
		0, 0xff, 0x3fffff003fffff, 0x1f00000000ull, 0xffffffffffffffff, 0x8000000000000001
	};
	static struct place places[MANY], want[MANY];
	uint64_t x = 88172645463325252ull;

	(void)state;
	for (size_t m = 0; m < sizeof(masks) / sizeof(masks[0]); m++) {
		for (size_t i = 0; i < MANY; i++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			want[i] = places[i] = (struct place){ x & masks[m], i };
		}
		qsort(want, MANY, sizeof(*want), compare);
		assert_int_equal(places_sort(places, MANY), 0);
		assert_memory_equal(places, want, sizeof(want));
		assert_int_equal(places_sort(places, MANY), 0);
		assert_memory_equal(places, want, sizeof(want));
	}
	assert_int_equal(places_sort(NULL, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_sorted_and_equal_ones_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
