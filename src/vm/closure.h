/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * closure.h - every shared library a program needs, found the way the dynamic loader finds them.
 *
 * Searched for each needed name: RPATH of the object and of those that loaded it (unless the
 * object has a RUNPATH), its RUNPATH, the folders of ld.so.conf, the loader's own folders.  Only
 * files of the program's class and machine count.  The environment is not consulted.
 *
 * Source: ld.so(8), ldconfig(8).
 */
#ifndef KTSTR_VM_CLOSURE_H
#define KTSTR_VM_CLOSURE_H

#include <ktstr/error.h>

enum { CLOSURE_LIBRARIES_MAX = 1024, CLOSURE_DIRS_MAX = 256 };

struct library_dirs {
	char *dirs[CLOSURE_DIRS_MAX];
	unsigned int nr;
};

/* The folders that @conf ("/etc/ld.so.conf") and what it includes name, in order.  A file that is
 * missing names none.  Return: 0, -ENOMEM. */
int library_dirs_read(struct library_dirs *dirs, const char *conf,
		      struct ktstr_error *err) KTSTR_MUST_CHECK;
void library_dirs_deinit(struct library_dirs *dirs);

/* Called once for each library with the name it is loaded by (no '/'), and for the interpreter
 * with its absolute path.  A negative return ends the walk with that code. */
typedef int (*closure_fn)(void *arg, const char *name, const char *host_path,
			  struct ktstr_error *err);

struct closure_opts {
	const char *program; /* host path */
	const struct library_dirs *dirs;
	closure_fn fn;
	void *arg;
};

/* Walks the closure of one ELF program or library.  A file that is neither needs nothing.  With
 * glibc comes libgcc_s.so.1 if this host has it, because glibc loads it by name when a thread is
 * cancelled.
 * Return: 0; -ENOENT: a library was not found, the text names it and who needs it; -EINVAL:
 * damaged file; -E2BIG: more than CLOSURE_LIBRARIES_MAX; -errno. */
int closure_walk(const struct closure_opts *opts, struct ktstr_error *err) KTSTR_MUST_CHECK;

/* Where the loader finds x86-64 library @name if no object directs it elsewhere.
 * Return: malloc'ed path, NULL if it is not there or for lack of memory. */
char *closure_find(const struct library_dirs *dirs, const char *name);

#endif
