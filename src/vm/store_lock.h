/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * store_lock.h - lock files that may be deleted while others wait for them.
 *
 * Who deletes one holds it exclusively, and who got one checks that the path still names it.  Every
 * attempt opens the file anew, so threads exclude each other as processes do.
 */
#ifndef KTSTR_VM_STORE_LOCK_H
#define KTSTR_VM_STORE_LOCK_H

#include <stdbool.h>

#include <ktstr/api.h>

/* @operation: LOCK_SH or LOCK_EX.  @create: make the file if it is not there.
 * Return: a descriptor, -EBUSY, -ENOENT, -errno. */
int store_lock_try(const char *path, int operation, bool create) KTSTR_MUST_CHECK;

/* Does @path still name the file of @fd? */
bool store_lock_is_at(int fd, const char *path);

/* Unlocks, also for forked children that have the descriptor, and closes. */
void store_lock_drop(int *fd);

/* Waits a little, longer each time; *@turn starts at 0.  Return: 0, -EINTR (@cancel_fd). */
int store_lock_pause(int cancel_fd, unsigned int *turn) KTSTR_MUST_CHECK;

#endif
