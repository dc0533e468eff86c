/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * prng.h - pseudo-random numbers from a seed: the same on every machine, for ever.
 *
 * xoshiro256**, whose state four outputs of splitmix64 fill.  One seed has any number of streams, so
 * that who draws more numbers does not change what another draws.  Not for secrets.
 *
 * Source: D. Blackman and S. Vigna, "Scrambled linear pseudorandom number generators" (2021), and
 * the splitmix64 of G. Steele, D. Lea and C. Flood, "Fast splittable pseudorandom number generators"
 * (2014), in the variant of prng.di.unimi.it.
 */
#ifndef KTSTR_BASE_PRNG_H
#define KTSTR_BASE_PRNG_H

#include <stdint.h>

struct prng {
	uint64_t s[4];
};

/* The next number of splitmix64, whose whole state is *@state. */
uint64_t prng_splitmix64(uint64_t *state);

/* State: four outputs of splitmix64 from (its first output for @seed) ^ @stream. */
void prng_init(struct prng *p, uint64_t seed, uint64_t stream);

uint64_t prng_u64(struct prng *p);

/* From 0 to @n - 1, each equally likely; 0 if @n is 0.  Draws as often as that takes. */
uint64_t prng_below(struct prng *p, uint64_t n);

#endif
