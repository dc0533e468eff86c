/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* modules.h - kernel modules that the image brings along. */
#ifndef KTSTR_GUEST_MODULES_H
#define KTSTR_GUEST_MODULES_H

#include <ktstr/error.h>

/* Loads the *.ko, *.ko.xz, *.ko.zst and *.ko.gz files of @dir in the order of their names; no such
 * folder: nothing to do.  One that is loaded already is fine.  Return: 0 or -errno, @err naming
 * the module. */
int modules_load(const char *dir, struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
