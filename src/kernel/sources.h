/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * sources.h - apt's list of package sources, in both of its forms (sources.list(5)).
 *
 * Only what finding a mirror needs is kept; entries for source packages, disabled ones, and ones
 * that cannot be read are passed over, as apt has its own words for those.
 */
#ifndef KTSTR_KERNEL_SOURCES_H
#define KTSTR_KERNEL_SOURCES_H

#include <stdbool.h>
#include <stddef.h>

#include <ktstr/error.h>

enum {
	SOURCES_MAX = 256,	    /* entries in all */
	SOURCES_MAX_SUITES = 32,    /* of one entry */
	SOURCES_MAX_BYTES = 1 << 20 /* of one file */
};

struct source {
	char *uri;
	size_t nr_suites;
	char *suites[SOURCES_MAX_SUITES];
	bool has_main;	 /* "main" is among its components */
	bool trusted;	 /* trusted=yes */
	char *signed_by; /* as a deb822 value, a path or a key block; NULL: apt's own keyrings */
};

struct source_list {
	size_t nr;
	struct source *items;
};

#define _cleanup_sources_ __attribute__((cleanup(sources_deinit)))

/* Each adds what it finds.  Return: 0, -ENOMEM, -E2BIG (more than SOURCES_MAX). */
int sources_parse_lines(const char *text, struct source_list *list) KTSTR_MUST_CHECK;
int sources_parse_deb822(const char *text, struct source_list *list) KTSTR_MUST_CHECK;
void sources_deinit(struct source_list *list);

/* Reads what this machine's apt reads, asking apt-config for the places.
 * Return: 0, -ENOTSUP (no apt here), -errno. */
int sources_read_host(struct source_list *list, struct ktstr_error *err) KTSTR_MUST_CHECK;

/* The entry that most likely is a complete Debian mirror: it has main of a Debian suite, better
 * with that suite's updates beside it, best signed by a Debian keyring.  NULL if there is none. */
const struct source *sources_debian_mirror(const struct source_list *list);

#endif
