/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* qemu.h - what "qemu-system-x86_64 --version" prints. */
#ifndef KTSTR_VM_QEMU_H
#define KTSTR_VM_QEMU_H

#include <ktstr/vm.h>

/* Reads "QEMU emulator version 10.0.2 (Debian ...)" into version, major, minor and micro; the
 * other members stay.  Return: 0 or -EPROTO. */
int qemu_version_parse(const char *text, struct ktstr_qemu *ret_qemu) KTSTR_MUST_CHECK;

#endif
