/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * store.h - folders made once, used by many processes, thrown away when room is needed.
 *
 * ROOT/KEY/		a whole entry: regular files and manifest.json (store_manifest.h)
 * ROOT/KEY.new/	an entry in the making, or on its way out
 * ROOT/KEY.lock	locked (flock) shared while the entry is used, exclusively while it is made or
 *			removed; its mtime is when the entry was last used; goes with the entry
 * ROOT/KEY.seen	which files were last verified, and on which boot of the host
 *
 * An entry is made in KEY.new/ and appears by rename.  What a killed maker left is removed by the
 * next who gets the lock.
 *
 * Trust: an entry is used if its files are the very ones that were last verified (device, inode,
 * owner, size, mtime and ctime, on the same boot of the host); else their content is hashed again.
 * What does not match its manifest, is no regular file, belongs to another user than this one or
 * root, or is not in the manifest, is logged, removed and made anew.
 *
 * Processes and threads may do all of this side by side.  A lock ends with its holder; a child that
 * was forked meanwhile and never executes keeps it, unless the holder released it.
 */
#ifndef KTSTR_VM_STORE_H
#define KTSTR_VM_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <ktstr/error.h>

struct store_entry;

enum { STORE_KEY_MAX = 64, STORE_MAX_ENTRIES = 1024 };

struct store_opts {
	const char *root;
	const char *key; /* lower-case hex, 1 to STORE_KEY_MAX digits */
	int cancel_fd;	 /* readable: give up waiting; -1: never */
	void (*progress)(void *arg, const char *text); /* once, when it must wait; may be NULL */
	void *arg;
};

/* Waits while another one makes the entry.
 * Return: 1: it is there and verified, locked shared; 0: it is ours to make in store_entry_dir(),
 * an empty folder, locked exclusively; -EINTR (cancelled), -EBUSY (damaged, and in use by others),
 * -EROFS, -EACCES, -ENOSPC, -errno.  In a store that cannot be written to, whole entries are still
 * used. */
int store_acquire(const struct store_opts *opts, struct store_entry **ret_entry,
		  struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Where its files are, or are to be made. */
const char *store_entry_dir(const struct store_entry *entry);
/* Is it ours to make? */
bool store_entry_writable(const struct store_entry *entry);

/* The maker is done: all files are in place and nobody writes to them any more.  Writes the manifest
 * with @about (an object; taken, also on failure), renames, turns the lock into a shared one, and
 * makes room as store_prune() does; that this failed is only logged.
 * Return: 0; -errno (-EINVAL: not only regular files; -EAGAIN: removed by another process at once):
 * then the entry is gone, and @entry released. */
int store_commit(struct store_entry *entry, json_t *about, uint64_t max_bytes,
		 struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Unlocks and frees; an entry that was not committed is removed.  NULL is fine. */
void store_release(struct store_entry *entry);

/* Removes entries that nobody uses, least recently used first, until all take at most @max_bytes on
 * disk.  Leftovers of killed makers go as well.
 * Return: how many entries were removed, or -errno when one that should go cannot be removed. */
int store_prune(const char *root, uint64_t max_bytes, struct ktstr_error *err) KTSTR_MUST_CHECK;

/* What all take on disk, leftovers included.  Return: how many entries, damaged ones included; -errno. */
int store_size(const char *root, uint64_t *ret_bytes, struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Return: 0, -ENOENT, -EBUSY (in use), -errno. */
int store_remove(const char *root, const char *key, struct ktstr_error *err) KTSTR_MUST_CHECK;

enum store_state {
	STORE_WHOLE,
	STORE_DAMAGED,
	STORE_MAKING,	/* locked exclusively; nothing more is known */
	STORE_LEFTOVER, /* of a maker that was killed */
};

struct store_info {
	char key[STORE_KEY_MAX + 1];
	enum store_state state;
	bool in_use;
	uint64_t disk_bytes;
	uint64_t used_ns; /* since the epoch */
	json_t *about;	  /* as committed; NULL unless whole */
	char why[256];	  /* what is damaged; "" otherwise */
};

/* Verifies every entry.  No folder @root is an empty store.
 * Return: their number, last used first; -errno. */
int store_list(const char *root, struct store_info **ret_infos,
	       struct ktstr_error *err) KTSTR_MUST_CHECK;
void store_list_free(struct store_info *infos, int nr);

#endif
