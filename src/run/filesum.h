/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * filesum.h - SHA-256 of large files that seldom change, such as kernels.
 *
 * Remembered in the cache folder as vm/filehash.h says.
 */
#ifndef KTSTR_RUN_FILESUM_H
#define KTSTR_RUN_FILESUM_H

#include <stdbool.h>

#include "base/sha256.h"
#include <ktstr/error.h>

/* Works without a cache too, only slower.  Return: 0 or -errno. */
int filesum_sha256(const char *path, char hex[SHA256_HEX],
		   struct ktstr_error *err) KTSTR_MUST_CHECK;

/* 64 lower-case hex digits? */
bool filesum_is_hex(const char *text);

#endif
