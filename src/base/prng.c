// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "base/prng.h"

uint64_t prng_splitmix64(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

void prng_init(struct prng *p, uint64_t seed, uint64_t stream)
{
	uint64_t state = prng_splitmix64(&seed) ^ stream;

	for (int i = 0; i < 4; i++)
		p->s[i] = prng_splitmix64(&state);
}

static uint64_t rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

uint64_t prng_u64(struct prng *p)
{
	uint64_t *s = p->s;
	uint64_t result = rotate(s[1] * 5, 7) * 9, shifted = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= shifted;
	s[3] = rotate(s[3], 45);
	return result;
}

uint64_t prng_below(struct prng *p, uint64_t n)
{
	uint64_t excess, x;

	if (n == 0)
		return 0;
	/* 2^64 modulo n: that many of the lowest numbers would make some remainders likelier. */
	excess = -n % n;
	do {
		x = prng_u64(p);
	} while (x < excess);
	return x % n;
}
