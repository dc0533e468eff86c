/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* ports.h - virtio-serial ports, found by the name that QEMU's command line gives them. */
#ifndef KTSTR_GUEST_PORTS_H
#define KTSTR_GUEST_PORTS_H

#include <stddef.h>
#include <stdint.h>

#include <ktstr/error.h>

/* Device name ("vport0p1") of the port called @name below @class_dir, which is normally
 * /sys/class/virtio-ports.  Return: 0, -ENOENT, -ENAMETOOLONG. */
int ports_find(const char *class_dir, const char *name, char *ret_device,
	       size_t size) KTSTR_MUST_CHECK;

/* Waits until the port is there and the host is connected, since both happen after the driver has
 * started.  Return: a descriptor that never blocks, -ETIMEDOUT, -errno. */
int ports_open(const char *name, uint64_t timeout_ns, struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
