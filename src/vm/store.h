/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * store.h - folders made once, used by many processes, thrown away when room is needed.
 *
 * ROOT/KEY/ is a whole entry: its files and manifest.json, which names each file with size on disk
 * and XXH3 hash, and what the entry was made from.  ROOT/KEY.lock is locked (flock) shared while an
 * entry is used, exclusively while it is made or removed.  An entry is made in ROOT/KEY.new/ and
 * appears by rename; what a killed maker left is removed by the next who gets the lock.
 *
 * Trust: an entry is used if its files are the very ones that were last verified (device, inode,
 * size, mtime and ctime, on the same boot of the host, all kept in ROOT/KEY.seen); else their
 * content is hashed again.  What does not match its manifest is removed and made anew.
 */
#ifndef KTSTR_VM_STORE_H
#define KTSTR_VM_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include <ktstr/error.h>

struct store_entry;

struct store_opts {
	const char *root;
	const char *key;			       /* lower-case hex */
	int cancel_fd;				       /* readable: give up waiting; -1: never */
	void (*progress)(void *arg, const char *text); /* once, when it must wait; may be NULL */
	void *arg;
};

/* Return: 1: the entry is there and verified, locked shared; 0: it is ours to make in
 * store_entry_dir(), locked exclusively; -EINTR (cancelled), -EROFS, -EACCES, -ENOSPC, -errno.
 * In a store that cannot be written to, whole entries are still used. */
int store_acquire(const struct store_opts *opts, struct store_entry **ret_entry,
		  struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Where its files are, or are to be made. */
const char *store_entry_dir(const struct store_entry *entry);
bool store_entry_writable(const struct store_entry *entry);

/* The maker is done: writes the manifest with @about (taken, also on failure), renames, turns the
 * lock into a shared one, and makes room: least recently used entries that nobody uses go until all
 * take at most @max_bytes.  Return: 0 or -errno; then the entry is gone. */
int store_commit(struct store_entry *entry, json_t *about, uint64_t max_bytes,
		 struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Unlocks and frees; an entry that was not committed is removed.  NULL is fine. */
void store_release(struct store_entry *entry);

#endif
