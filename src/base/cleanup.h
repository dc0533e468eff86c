/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * cleanup.h - scope guards: a variable releases what it holds when its scope ends.
 *
 * One resource per variable, initialised where it is declared (NULL or -1).  take_ptr() and
 * take_fd() hand a resource over; do that last, after everything that can fail.
 */
#ifndef KTSTR_BASE_CLEANUP_H
#define KTSTR_BASE_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(fn) __attribute__((cleanup(fn)))

/* Defines fnp(), a guard for variables of pointer type @type that calls fn() unless NULL. */
#define DEFINE_CLEANUP(type, fn)          \
	static inline void fn##p(type *p) \
	{                                 \
		if (*p)                   \
			fn(*p);           \
	}                                 \
	struct cleanup_needs_a_semicolon_##fn

DEFINE_CLEANUP(FILE *, fclose);
DEFINE_CLEANUP(DIR *, closedir);

static inline void freep(void *p)
{
	free(*(void **)p);
}

static inline void closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#define _cleanup_free_	   _cleanup_(freep)
#define _cleanup_close_	   _cleanup_(closep)
#define _cleanup_fclose_   _cleanup_(fclosep)
#define _cleanup_closedir_ _cleanup_(closedirp)

#define take_ptr(p)                          \
	({                                   \
		__auto_type take_ptr_ = (p); \
		(p) = NULL;                  \
		take_ptr_;                   \
	})

static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
