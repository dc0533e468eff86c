/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* config.h - what a kernel's .config says. */
#ifndef KTSTR_KERNEL_CONFIG_H
#define KTSTR_KERNEL_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include <ktstr/kernel.h>

enum { CONFIG_MAX_BYTES = 4 << 20 };

/* The value after "CONFIG_X=" ("y", "m", "250", "\"text\""), cut at @size.  @option with or
 * without "CONFIG_".  Return: 0, -ENOENT (absent or "is not set"), -EINVAL (@option is empty). */
int config_value(const char *text, const char *option, char *buf, size_t size);

/* Fills sched_ext, btf, schedstats and hz; nothing else of @kernel is touched. */
void config_facts(const char *text, struct ktstr_kernel *kernel);

#endif
