/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* sha256.h - SHA-256 of FIPS 180-4, for keys made from content. */
#ifndef KTSTR_BASE_SHA256_H
#define KTSTR_BASE_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHA256_BYTES = 32, SHA256_HEX = 65 };

struct sha256 {
	uint32_t state[8];
	uint64_t len;
	uint8_t block[64];
};

void sha256_init(struct sha256 *s);
void sha256_update(struct sha256 *s, const void *bytes, size_t len);
/* @s must be initialised anew afterwards. */
void sha256_final(struct sha256 *s, uint8_t bytes[SHA256_BYTES]);
/* The same as 64 lower-case digits and a NUL. */
void sha256_final_hex(struct sha256 *s, char hex[SHA256_HEX]);

/* Of everything in @fd from its beginning.  Return: 0 or -errno. */
int sha256_fd_hex(int fd, char hex[SHA256_HEX]);

/* --- for sha256.c and its test (sha256_x86.c) ---------------------------------------------------- */

/* Has this processor instructions for it? */
bool sha256_x86_usable(void);
/* Takes in @nr blocks of 64 bytes. */
void sha256_x86_blocks(uint32_t state[8], const uint8_t *blocks, size_t nr,
		       const uint32_t constants[64]);
/* The same in C. */
void sha256_blocks(uint32_t state[8], const uint8_t *blocks, size_t nr);
extern const uint32_t sha256_constants[64];

#endif
