/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * image.h - recognise x86-64 kernels: bzImage and vmlinux, and say what else a file is.
 *
 * Sources: Documentation/arch/x86/boot.rst (the setup header at 0x1f1), the ELF-64 specification,
 * include/xen/interface/elfnote.h (XEN_ELFNOTE_PHYS32_ENTRY marks a PVH entry).
 */
#ifndef KTSTR_KERNEL_IMAGE_H
#define KTSTR_KERNEL_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include <ktstr/error.h>

enum image_kind { IMAGE_BZIMAGE, IMAGE_VMLINUX };

struct image {
	enum image_kind kind;
	uint64_t size_bytes;
	/* bzImage: the compressed vmlinux inside, as file offsets. */
	uint64_t payload_offset, payload_bytes;
	/* vmlinux */
	bool pvh; /* QEMU can enter it directly */
	char build_id[64];
	char release[128]; /* "" if not found */
};

/* Reads what the file is; @name is for messages.
 * Return: 0, -ENOEXEC (not a kernel), -EINVAL (truncated or damaged), -EXDEV (a kernel for another
 * architecture), -errno of reading. */
int image_read_fd(int fd, const char *name, struct image *ret_image,
		  struct ktstr_error *err) KTSTR_MUST_CHECK;
int image_read(const char *path, struct image *ret_image, struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
