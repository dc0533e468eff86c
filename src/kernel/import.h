/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* import.h - make a cache entry from files: of a package just unpacked, or given by a user. */
#ifndef KTSTR_KERNEL_IMPORT_H
#define KTSTR_KERNEL_IMPORT_H

#include <ktstr/kernel.h>

#include "kernel/cache.h"

struct import {
	const char *bzimage;	  /* copied and unpacked */
	const char *config;	  /* NULL: none */
	const char *modules_root; /* searched if the config has the channel's drivers as modules */
	/* name, release, version, source, imported */
	struct entry entry;
};

/* Fills the temporary folder and writes kernel.json.  Return: 0, as image_read(),
 * unpack_bzimage() and module_collect(). */
int import_fill(const struct cache_temp *temp, struct import *import,
		struct ktstr_error *err) KTSTR_MUST_CHECK;

/* The least recently used imports beyond these are removed when another one is made. */
enum { IMPORT_MAX_KEPT = 8 };

/* A bzImage outside the cache: the entry RELEASE-HASH, made now unless it is there.
 * @import's entry is filled in here.  Return: as above. */
int import_file(struct import *import, struct ktstr_kernel *ret_kernel,
		struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
