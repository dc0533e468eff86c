/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * fwcfg.h - files that QEMU's command line gives to the guest, read from user space.
 *
 * Transfers are DMA into a few pages that cannot move meanwhile: they are spliced into a pipe that
 * nobody reads, which holds a reference to each.  Needs root and x86 port access.
 *
 * Source: docs/specs/fw_cfg.rst of QEMU.
 */
#ifndef KTSTR_GUEST_FWCFG_H
#define KTSTR_GUEST_FWCFG_H

#include <stddef.h>
#include <stdint.h>

#include <ktstr/error.h>

enum {
	FWCFG_NAME_MAX = 55,
	FWCFG_FILE_MAX = 512 << 20 /* bytes of a file */
};

struct fwcfg_file {
	uint16_t key;
	uint32_t size;
};

/* Looks @name up in a directory as fw_cfg item 0x19 holds it.  Return: 0, -ENOENT, -EINVAL. */
int fwcfg_find(const void *directory, size_t size, const char *name,
	       struct fwcfg_file *ret_file) KTSTR_MUST_CHECK;

struct fwcfg;

/* Takes the memory it needs; asks for no file yet, so a machine may be given others afterwards.
 * Return: 0, -ENODEV (no fw_cfg with DMA), -ENOMEM, -errno of what else failed. */
int fwcfg_open(struct fwcfg **ret_fwcfg, struct ktstr_error *err) KTSTR_MUST_CHECK;
/* Goes to the beginning of a file.  Return: its size, -ENOENT (no such file), -E2BIG, -EIO. */
int64_t fwcfg_select(struct fwcfg *f, const char *name, struct ktstr_error *err) KTSTR_MUST_CHECK;
/* The next bytes of it, borrowed until the next call.  Return: how many, 0 at the end, -EIO. */
int fwcfg_read(struct fwcfg *f, const void **ret_bytes, struct ktstr_error *err) KTSTR_MUST_CHECK;
void fwcfg_close(struct fwcfg *f);

#endif
