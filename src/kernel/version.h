/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* version.h - kernel versions and releases as numbers: 6.12 comes after 6.9. */
#ifndef KTSTR_KERNEL_VERSION_H
#define KTSTR_KERNEL_VERSION_H

#include <stdbool.h>
#include <stddef.h>

/* Orders "6.12.107+deb13-cloud-amd64", "7.3.4", "7.3-rc7": runs of digits by value, the rest by
 * byte; a missing number counts as 0; "-rc" and "~" come before the release they lead to.
 * Return: <0, 0, >0. */
int kernel_version_compare(const char *a, const char *b);

/* Does @version start with @prefix, part by part?  "6.1" fits "6.1.176" and "6.1.0-50-cloud",
 * not "6.12"; "" fits nothing. */
bool kernel_version_matches(const char *version, const char *prefix);

/* Does it read like a version ("7", "6.12", "6.1.0-50")? */
bool kernel_version_valid(const char *text);

/* Copies the leading upstream version, "6.12.107" of "6.12.107-1~bpo12+1"; cut at @size. */
void kernel_version_upstream(const char *text, char *buf, size_t size);

#endif
