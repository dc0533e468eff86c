/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * fake_archive.h - a Debian archive in a folder, with kernels of a few kilobytes.
 *
 * Real packages, made with dpkg-deb and read by the real apt through file:, so that no network is
 * needed.  APT_CONFIG and XDG_CACHE_HOME are set to places in the scratch folder.
 */
#ifndef KTSTR_TESTS_FAKE_ARCHIVE_H
#define KTSTR_TESTS_FAKE_ARCHIVE_H

#include <stdbool.h>

#include "scratch.h"

/* Return: false if apt or dpkg-deb are not here. */
bool fake_archive_create(const struct scratch *s);

struct fake_package {
	const char *suite, *name, *version;
	const char *release; /* of the kernel inside */
	bool old_layout;     /* boot/vmlinuz-R and boot/config-R with modules, all in one */
	bool has_image, has_config;
	const char *config; /* content */
};

void fake_archive_add(const struct scratch *s, const struct fake_package *package);
/* Writes the indexes of @suite, after the last package. */
void fake_archive_index(const struct scratch *s, const char *suite);

#endif
