/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* store_verify.h - is an entry of the store what its maker left? */
#ifndef KTSTR_VM_STORE_VERIFY_H
#define KTSTR_VM_STORE_VERIFY_H

#include "vm/store_manifest.h"

/* Where one entry's parts lie. */
struct store_paths {
	char *root, *dir, *temp, *lock, *seen;
	const char *key; /* borrowed */
};

#define _cleanup_store_paths_ __attribute__((cleanup(store_paths_deinit)))

/* Return: 0, -EINVAL (no key), -ENOMEM. */
int store_paths_init(struct store_paths *paths, const char *root, const char *key,
		     struct ktstr_error *err) KTSTR_MUST_CHECK;
void store_paths_deinit(struct store_paths *paths);

/* The caller holds the lock.  @ret_manifest may be NULL.
 * Return: 1 whole; 0 not there; -EUCLEAN damaged, @err says how; -ENOMEM, -EMFILE, -ENFILE. */
int store_verify(const struct store_paths *paths, struct manifest *ret_manifest,
		 struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Describes what is in paths->temp and writes the manifest there; @ret_seen is for store_note_seen()
 * once the entry has its name.  @about is borrowed.
 * Return: 0, -EINVAL (not only regular files), -E2BIG, -ENOSPC, -errno. */
int store_describe(const struct store_paths *paths, json_t *about, struct strbuf *ret_seen,
		   struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Notes that the entry is verified.  A failure costs a verification later. */
void store_note_seen(const struct store_paths *paths, const struct strbuf *seen);

/* Removes the entry and what is left of making it; the caller holds the exclusive lock. */
int store_wipe(const struct store_paths *paths, struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
