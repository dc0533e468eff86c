/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * template_key.h - what decides whether two machines can share a template.
 *
 * The key is the SHA-256 of a text: its format version, QEMU's version, for KVM the boot id of this
 * host, and the command line of a cold boot, one argument a line, in which QEMU, firmware, kernel
 * and guest image stand by the SHA-256 of their content and files of one run by fixed names.
 */
#ifndef KTSTR_VM_TEMPLATE_KEY_H
#define KTSTR_VM_TEMPLATE_KEY_H

#include "base/sha256.h"
#include "vm/vm.h"

/* @cache_dir: where hashes of files are remembered (filehash.h); NULL: nowhere. */
int template_key_make(const struct vm_opts *opts, uint64_t memory_bytes, const char *cache_dir,
		      char key[SHA256_HEX], struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
