/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * unpack.h - the vmlinux inside a bzImage.
 *
 * zstd is decoded here; gzip, xz, lzma, bzip2, lz4 and lzo by their own programs.  The payload of
 * every format ends in the unpacked size, 32 bits little-endian (gzip's own trailer, or the
 * "size_append" of the kernel's scripts/Makefile.lib), which the result must have.
 */
#ifndef KTSTR_KERNEL_UNPACK_H
#define KTSTR_KERNEL_UNPACK_H

#include <ktstr/error.h>

#include "kernel/image.h"

enum { UNPACK_MAX_BYTES = 1 << 30 };

/* Writes @to (replaced if there, removed on failure) from the bzImage open as @fd.
 * Return: 0, -EINVAL (damaged), -ENOTSUP (unknown compression, or its program is missing), -ENOSPC,
 * -EINTR, -errno. */
int unpack_bzimage(int fd, const char *name, const struct image *image, const char *to,
		   struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Decompresses FILE.xz, .zst or .gz to @to; any other name is copied. */
int unpack_file(const char *from, const char *to, struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
