/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * module.h - the drivers of the guest's result channel, where a kernel has them as modules.
 *
 * Which ones follow from the config (VIRTIO_PCI=m, VIRTIO_CONSOLE=m), their order from the
 * "depends=" entry of each module's .modinfo section: packages carry no modules.dep, it is made
 * when they are installed.
 */
#ifndef KTSTR_KERNEL_MODULE_H
#define KTSTR_KERNEL_MODULE_H

#include <ktstr/error.h>

enum { MODULE_MAX_LOADED = 32, MODULE_MAX_FOUND = 32768 };

/* Writes NN-name.ko, unpacked, into the folder @to (created if needed) for everything @config
 * asks for, from the .ko, .ko.xz, .ko.zst or .ko.gz files below @root.
 * Return: how many (0: nothing is needed, @to is not created), -ENOENT (one is missing), -ELOOP,
 * -errno of unpacking. */
int module_collect(const char *config, const char *root, const char *to,
		   struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
