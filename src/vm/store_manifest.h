/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * store_manifest.h - manifest.json: which files an entry of the store consists of.
 *
 * Version 1: { "version": 1, "key": its folder's name, "about": object, "files": [ { "name",
 * "bytes", "allocated_bytes", "xxh128" } ], "xxh128": hash of this object without this member, as
 * jansson writes it compact with sorted keys }.  Any doubt is damage.
 *
 * A file's hash is XXH3-128 over each 4096-byte block (the last may be shorter) that is not all
 * zeros, preceded by its offset as 8 little-endian bytes.  So a hole is zeros, and how a file system
 * lays a file out does not matter.  For that reason allocated_bytes is told but not compared.
 */
#ifndef KTSTR_VM_STORE_MANIFEST_H
#define KTSTR_VM_STORE_MANIFEST_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/strbuf.h"
#include "base/xxh128.h"
#include <ktstr/error.h>

#define MANIFEST_NAME "manifest.json"

enum {
	MANIFEST_VERSION = 1,
	MANIFEST_MAX_FILES = 256,
	MANIFEST_MAX_NAME = 64,
	MANIFEST_MAX_BYTES = 1 << 18,
};

struct manifest_file {
	char name[MANIFEST_MAX_NAME]; /* letters, digits, '.', '_', '-'; no leading '.' */
	uint64_t bytes;
	uint64_t allocated_bytes;
	char xxh128[XXH128_HEX];
};

struct manifest {
	json_t *about;
	size_t nr_files;
	struct manifest_file *files;
	char xxh128[XXH128_HEX]; /* of the manifest itself */
};

#define _cleanup_manifest_ __attribute__((cleanup(manifest_deinit)))

/* Safe on a zeroed struct. */
void manifest_deinit(struct manifest *m);

/* @key: the one it must be of.  Return: 0, -EINVAL (damaged), -ENOMEM. */
int manifest_parse(const char *text, size_t len, const char *key, struct manifest *ret_manifest,
		   struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Appends the text and sets m->xxh128.  Return: 0, -EINVAL (a name or @about that it could not read
 * back), -E2BIG, -ENOMEM. */
int manifest_format(struct manifest *m, const char *key, struct strbuf *out,
		    struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Adds a file; -EINVAL for a name that cannot be one, -E2BIG, -ENOMEM. */
int manifest_add(struct manifest *m, const struct manifest_file *file,
		 struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
