/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * cache.h - the folder of kernels, and how several processes share it.
 *
 * kernels/NAME/		an entry, whole from the moment it has this name
 * kernels/.tmp-PID-N/		an entry in the making; its maker holds a lock on the folder itself
 * kernels/.lock-NAME		held while NAME is made or removed; deleted by the last holder
 *
 * A temporary folder whose lock is free was left by a process that died; the next maker removes it.
 */
#ifndef KTSTR_KERNEL_CACHE_H
#define KTSTR_KERNEL_CACHE_H

#include <stdbool.h>

#include <ktstr/kernel.h>

#include "kernel/entry.h"

/* Names that may be folders here: no '/', no leading '.', shorter than KTSTR_KERNEL_NAME. */
bool cache_name_valid(const char *name);

/* $XDG_CACHE_HOME/ktstr/kernels or .../NAME below it; malloc'ed, NULL and @err on failure. */
char *cache_path(const char *name, struct ktstr_error *err);

/* Return: 0, -ENOENT (no such entry), -EINVAL (damaged), -errno. */
int cache_load(const char *name, struct entry *ret_entry, struct ktstr_error *err) KTSTR_MUST_CHECK;

struct cache_lock {
	char *path;
	int fd;
};

#define CACHE_LOCK_INIT   \
	{                 \
		.fd = -1, \
	}
#define _cleanup_cache_lock_ __attribute__((cleanup(cache_lock_release)))

/* Locks the file @path, creating it and its folder.  @wait: until it is free, else -EBUSY.
 * Return: 0, -EBUSY, -EINTR, -errno with a text that names XDG_CACHE_HOME where that helps. */
int cache_lock_take(struct cache_lock *lock, const char *path, bool wait,
		    struct ktstr_error *err) KTSTR_MUST_CHECK;
int cache_lock_kernel(struct cache_lock *lock, const char *name, bool wait,
		      struct ktstr_error *err) KTSTR_MUST_CHECK;
void cache_lock_release(struct cache_lock *lock);

struct cache_temp {
	char *path; /* the folder to fill */
	int fd;
};

#define CACHE_TEMP_INIT   \
	{                 \
		.fd = -1, \
	}
#define _cleanup_cache_temp_ __attribute__((cleanup(cache_temp_remove)))

/* Makes an empty temporary folder, after clearing away those of dead processes. */
int cache_temp_create(struct cache_temp *temp, struct ktstr_error *err) KTSTR_MUST_CHECK;
/* Gives it its final name; a damaged entry of that name is replaced.  The caller holds the lock. */
int cache_temp_commit(struct cache_temp *temp, const char *name,
		      struct ktstr_error *err) KTSTR_MUST_CHECK;
void cache_temp_remove(struct cache_temp *temp);

/* Adds what to do to an error of writing below the cache.  Return: @code. */
int cache_explain(int code, struct ktstr_error *err);

#endif
