// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "guest/chance.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/cleanup.h"
#include "base/sha256.h"

enum { SEED_BYTES = 8 };

_Static_assert(CHANCE_BYTES % SHA256_BYTES == 0, "whole blocks");

void chance_derive(uint64_t seed, uint8_t bytes[CHANCE_BYTES])
{
	static const char label[] = "ktstr chance";
	uint8_t input[SEED_BYTES + 1];

	for (int i = 0; i < SEED_BYTES; i++)
		input[i] = (uint8_t)(seed >> (8 * i));
	for (int block = 0; block < CHANCE_BYTES / SHA256_BYTES; block++) {
		struct sha256 s;

		input[SEED_BYTES] = (uint8_t)block;
		sha256_init(&s);
		sha256_update(&s, label, strlen(label));
		sha256_update(&s, input, sizeof(input));
		sha256_final(&s, bytes + (size_t)block * SHA256_BYTES);
	}
}

int chance_feed(uint64_t seed, struct ktstr_error *err)
{
	_cleanup_close_ int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
	_Alignas(struct rand_pool_info) uint8_t pool[sizeof(struct rand_pool_info) + CHANCE_BYTES];
	struct rand_pool_info *info = (struct rand_pool_info *)pool;

	if (fd < 0)
		return ktstr_error_set(err, -errno, "open '/dev/urandom': %s", strerror(errno));
	info->entropy_count = CHANCE_BYTES * 8;
	info->buf_size = CHANCE_BYTES;
	chance_derive(seed, pool + sizeof(*info));
	if (ioctl(fd, RNDADDENTROPY, info) < 0 || ioctl(fd, RNDRESEEDCRNG) < 0)
		return ktstr_error_set(err, -errno, "feed the kernel's random numbers: %s",
				       strerror(errno));
	return 0;
}
