/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * entry.h - kernel.json: what one cached kernel is and which files it consists of.
 *
 * Format 1: { "format": 1, "name", "release", "version", "build_id", "source": text, "imported",
 * "pvh": bool, "sched_ext", "btf", "schedstats": true, false or null (not known), "hz": number or
 * null, "files": [ { "name", "bytes", "crc32" } ] }.  Every file but kernel.json is listed.
 */
#ifndef KTSTR_KERNEL_ENTRY_H
#define KTSTR_KERNEL_ENTRY_H

#include <stddef.h>
#include <stdint.h>

#include <ktstr/kernel.h>

#include "base/strbuf.h"

enum { ENTRY_MAX_FILES = 64, ENTRY_MAX_BYTES = 1 << 16, ENTRY_FORMAT = 1 };

struct entry_file {
	char name[96]; /* relative, "modules/00-virtio.ko" */
	uint64_t bytes;
	uint32_t crc32;
};

struct entry {
	struct ktstr_kernel kernel; /* without paths and sizes */
	char source[KTSTR_KERNEL_NAME];
	size_t nr_files;
	struct entry_file files[ENTRY_MAX_FILES];
};

/* Return: 0, -EINVAL (not JSON, not this format, names that leave the folder). */
int entry_parse(const char *text, size_t len, struct entry *ret_entry,
		struct ktstr_error *err) KTSTR_MUST_CHECK;
int entry_format(const struct entry *entry, struct strbuf *out) KTSTR_MUST_CHECK;

/* Completes @entry from the files in @dir (vmlinux, config, what modules/ holds) and writes
 * kernel.json there.  name, source, version and imported are the caller's; release is kept if
 * set.  Return: 0, as image_read(), -ENOSPC, -errno. */
int entry_create(const char *dir, struct entry *entry, struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Reads @dir/kernel.json, checks that every file is there with its size, and fills in the paths.
 * Return: 0, -ENOENT (no kernel.json), -EINVAL (damaged), -errno. */
int entry_load(const char *dir, struct entry *ret_entry, struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Compares the content of every file with its checksum.  Return: 0, -EINVAL, -errno. */
int entry_verify(const char *dir, const struct entry *entry,
		 struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
