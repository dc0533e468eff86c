// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/prng.h"

/* Published for state 1234567: the task "Pseudo-random numbers/Splitmix64" of Rosetta Code. */
static void splitmix64_gives_the_published_numbers(void **state)
{
	static const uint64_t wanted[] = { 6457827717110365317u, 3203168211198807973u,
					   9817491932198370423u, 4593380528125082431u,
					   16408922859458223821u };
	uint64_t s = 1234567;

	(void)state;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		assert_int_equal(prng_splitmix64(&s), wanted[i]);
}

/* Published for state 1, 2, 3, 4: the tests of the crate rand_xoshiro, made with the authors' code. */
static void xoshiro_gives_the_published_numbers(void **state)
{
	static const uint64_t wanted[] = { 11520,
					   0,
					   1509978240,
					   1215971899390074240u,
					   1216172134540287360u,
					   607988272756665600u,
					   16172922978634559625u,
					   8476171486693032832u,
					   10595114339597558777u,
					   2904607092377533576u };
	struct prng p = { { 1, 2, 3, 4 } };

	(void)state;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		assert_int_equal(prng_u64(&p), wanted[i]);
}

static void streams_and_seeds_differ(void **state)
{
	struct prng a, b, c, again;

	(void)state;
	prng_init(&a, 1, 1);
	prng_init(&b, 1, 2);
	prng_init(&c, 2, 1);
	prng_init(&again, 1, 1);
	for (int i = 0; i < 100; i++) {
		uint64_t x = prng_u64(&a);

		assert_int_equal(prng_u64(&again), x);
		assert_int_not_equal(prng_u64(&b), x);
		assert_int_not_equal(prng_u64(&c), x);
	}
}

static void below_stays_below_and_reaches_all(void **state)
{
	unsigned int seen[7] = { 0 };
	struct prng p;

	(void)state;
	prng_init(&p, 42, 0);
	for (int i = 0; i < 7000; i++)
		seen[prng_below(&p, 7)]++;
	for (int i = 0; i < 7; i++)
		assert_in_range(seen[i], 850, 1150);
	assert_int_equal(prng_below(&p, 0), 0);
	assert_int_equal(prng_below(&p, 1), 0);
	for (int i = 0; i < 100; i++)
		assert_true(prng_below(&p, (1ull << 63) + 1) <= 1ull << 63);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splitmix64_gives_the_published_numbers),
		cmocka_unit_test(xoshiro_gives_the_published_numbers),
		cmocka_unit_test(streams_and_seeds_differ),
		cmocka_unit_test(below_stays_below_and_reaches_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
