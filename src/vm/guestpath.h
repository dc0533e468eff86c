/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * guestpath.h - where files go in a guest.
 *
 * Guests have one folder for programs and one for libraries; the other names by which people and
 * loaders know them are links.
 */
#ifndef KTSTR_VM_GUESTPATH_H
#define KTSTR_VM_GUESTPATH_H

struct guest_link {
	const char *name;   /* without a leading slash */
	const char *target; /* as the link holds it */
	const char *real;   /* what the name means in full */
};

/* Ended by a NULL name.  Sorted, so that a folder comes before what is in it. */
extern const struct guest_link guest_links[];

/* An absolute path as a name in an archive, with the links above resolved: "/lib64/x" becomes
 * "usr/lib/x".  malloc'ed; NULL if @path is not absolute, not in its shortest form or itself one
 * of the links, or for lack of memory. */
char *guest_path_canonical(const char *path);

#endif
