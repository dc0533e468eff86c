/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * imagelibs.h - the libraries of this host that nearly every program needs: loader, C library,
 * mathematics, unwinder.
 *
 * They are part of the guest image, so that a template has them unpacked already, and are left out
 * of the archives of jobs.  For Linux 5.15 and 5.16 so is libbpf, which captures of threads open
 * there (docs/decisions/0013-the-collector-on-older-kernels.md).  What this host does not have where
 * its loader looks is not in the image.
 */
#ifndef KTSTR_VM_IMAGELIBS_H
#define KTSTR_VM_IMAGELIBS_H

#include "base/cpio.h"
#include "vm/vm.h"

/* Adds them, and says in @ret_image which files they were.  Return: 0, -errno. */
int imagelibs_add(struct cpio_writer *w, const struct ktstr_kernel *kernel,
		  struct vm_image *ret_image) KTSTR_MUST_CHECK;

/* Does @image have the file @st as @name ("usr/lib/libc.so.6")? */
bool imagelibs_has(const struct vm_image *image, const char *name, const struct stat *st);

#endif
