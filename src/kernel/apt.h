/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * apt.h - the ordinary apt client with its state in our own cache folder.
 *
 * cache/apt/SUITE/	one suite: apt.conf, kernels.sources, lists/, packages, tmp/
 * cache/apt/.lock	held by whoever updates, searches or downloads
 *
 * "packages" holds one "name version bytes" line per kernel package of the suite; its time says
 * how old the lists are.  Nothing outside this folder is written and no root is needed.
 */
#ifndef KTSTR_KERNEL_APT_H
#define KTSTR_KERNEL_APT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ktstr/kernel.h>

#include "kernel/cache.h"
#include "kernel/sources.h"

enum { APT_MAX_SUITES = 24, APT_MAX_PACKAGES = 4096, APT_FRESH_S = 24 * 3600, APT_MAX_AT_ONCE = 8 };

/* The caller's way to hear what is going on. */
struct progress {
	ktstr_kernel_progress_fn fn;
	void *arg;
};

void progress_say(const struct progress *progress, const char *fmt, ...) KTSTR_PRINTF(2, 3);

struct apt_package {
	char name[KTSTR_KERNEL_NAME];
	char version[KTSTR_KERNEL_NAME];
	uint64_t bytes; /* of the download; 0 if not known */
	unsigned int suite;
};

struct apt_suite {
	char name[64];
	bool leading; /* newer kernels appear here first: enough to find the latest */
	bool wanted;
	bool failed; /* nothing was read of it */
	bool absent; /* the mirror does not have it */
};

struct apt {
	const struct progress *progress;
	char *dir;
	struct source_list sources;
	const struct source *mirror; /* in sources */
	unsigned int nr_suites;
	struct apt_suite suites[APT_MAX_SUITES];
	size_t nr_packages;
	struct apt_package *packages;
	bool reused; /* some lists are from an earlier update */
};

#define _cleanup_apt_ __attribute__((cleanup(apt_deinit)))

/* Reads the host's sources, picks mirror and suites.  Return: 0, -ENOTSUP, -errno. */
int apt_init(struct apt *apt, const struct progress *progress,
	     struct ktstr_error *err) KTSTR_MUST_CHECK;
void apt_deinit(struct apt *apt);

struct apt_update_opts {
	bool leading_only;
	bool force; /* also where the lists are younger than APT_FRESH_S */
};

/* Updates what is old, all suites at once, and fills packages.
 * Return: 0 (at least one suite), -ENETUNREACH, -EIO, -ENOSPC, -EINTR, -errno. */
int apt_update(struct apt *apt, const struct apt_update_opts *opts,
	       struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Downloads and unpacks packages of one suite into @dir; apt checks their hashes. */
int apt_unpack(struct apt *apt, const struct apt_package *const *packages, size_t nr_packages,
	       const char *dir, struct ktstr_error *err) KTSTR_MUST_CHECK;

/* For unit tests: reads "Package:", "Version:", "Size:" paragraphs of apt-cache show into lines of
 * "packages".  Lines that are not of this form are passed over. */
void apt_format_packages(const char *shown, struct strbuf *out);
int apt_parse_packages(const char *text, unsigned int suite, struct apt *apt);

#endif
