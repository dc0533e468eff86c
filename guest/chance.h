/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * chance.h - where the guest kernel's random numbers come from: the job's seed.
 *
 * The kernel's generator is fed with bytes derived from the seed and told to start anew from them.
 * What it gives from then on (getrandom(), /dev/urandom, address space layout, ...) is a function of
 * the seed and of all that went before, which in exact mode is the same in every run.
 *
 * Source: random(4), RNDADDENTROPY and RNDRESEEDCRNG.
 */
#ifndef KTSTR_GUEST_CHANCE_H
#define KTSTR_GUEST_CHANCE_H

#include <stdint.h>

#include <ktstr/error.h>

enum { CHANCE_BYTES = 64 };

/* SHA-256 of "ktstr chance", the seed (8 bytes, little-endian) and a block's number from 0 (1 byte),
 * block after block. */
void chance_derive(uint64_t seed, uint8_t bytes[CHANCE_BYTES]);

/* Nobody waits for chance after this.  Return: 0 or -errno. */
int chance_feed(uint64_t seed, struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
