/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* mount.h - the guest's file systems and its cgroup root. */
#ifndef KTSTR_GUEST_MOUNT_H
#define KTSTR_GUEST_MOUNT_H

#include <ktstr/error.h>

/* /proc, /sys and /dev, and /dev/null as stdin, stdout and stderr.  Return: 0 or -errno. */
int mount_first(struct ktstr_error *err) KTSTR_MUST_CHECK;

/* All else: tmpfs on /tmp, /run, /dev/shm; devpts; cgroup v2 with every controller handed down;
 * debugfs, tracefs and bpffs where the kernel has them.  Return: 0 or -errno. */
int mount_rest(struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
