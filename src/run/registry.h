/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * registry.h - the tests of this program: sorted, checked, selected.
 *
 * The linker promises no order in the section, so entries are sorted by name.
 */
#ifndef KTSTR_RUN_REGISTRY_H
#define KTSTR_RUN_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>

#include <ktstr/test.h>

struct registry {
	const struct ktstr_entry **entries; /* sorted by name */
	bool *selected;			    /* one per entry; all true after loading */
	size_t nr;
};

#define REGISTRY_INIT \
	{             \
	}
#define _cleanup_registry_ __attribute__((cleanup(registry_deinit)))

/* Return: 0, -EEXIST (one name twice; the text has both places), -ENOMEM. */
int registry_load(const struct ktstr_entry *const *first, const struct ktstr_entry *const *end,
		  struct registry *ret_registry, struct ktstr_error *err) KTSTR_MUST_CHECK;
void registry_deinit(struct registry *registry);

/* Selects what matches any of @patterns (globs as fnmatch(3) has them); none: everything.
 * Return: how many, or -ENOENT if a pattern matches nothing; the text has near names. */
int registry_select(struct registry *registry, const char *const *patterns, size_t nr,
		    struct ktstr_error *err) KTSTR_MUST_CHECK;

/* The entry of that name, or NULL. */
const struct ktstr_entry *registry_find(const struct registry *registry, const char *name);

/* Can this test be run at all?  Return: 0, -EBADMSG (built against other headers: nothing but the
 * name may be read), -EINVAL (no body, impossible topology, bad name or list). */
int registry_check(const struct ktstr_entry *entry, struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
