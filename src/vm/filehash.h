/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * filehash.h - SHA-256 of big files, remembered in CACHE/hashes as vm/filememo.h says.
 */
#ifndef KTSTR_VM_FILEHASH_H
#define KTSTR_VM_FILEHASH_H

#include "base/sha256.h"
#include <ktstr/error.h>

/* @cache_dir: NULL to remember nothing; that it cannot be written to is no error.
 * Return: 0 or -errno. */
int filehash_sha256(const char *path, const char *cache_dir, char hex[SHA256_HEX],
		    struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
