/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * kernel.h - find, fetch, unpack and keep kernels.
 *
 * Kernels live in $XDG_CACHE_HOME/ktstr/kernels/NAME/: bzImage, vmlinux (unpacked, bootable by
 * PVH), config, kernel.json, and modules/ where the transport's drivers are not built in.  An
 * entry appears by rename when it is whole; readers never see half a kernel.
 */
#ifndef KTSTR_KERNEL_H
#define KTSTR_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ktstr/error.h>

enum { KTSTR_KERNEL_NAME = 128, KTSTR_KERNEL_PATH = 512 };

/* What a kernel's config says; UNKNOWN where there is no config to read. */
enum ktstr_kernel_fact { KTSTR_KERNEL_UNKNOWN, KTSTR_KERNEL_NO, KTSTR_KERNEL_YES };

struct ktstr_kernel {
	char name[KTSTR_KERNEL_NAME];	 /* cache name, or the file's own name */
	char release[KTSTR_KERNEL_NAME]; /* uname -r; "" if not known */
	char version[KTSTR_KERNEL_NAME]; /* upstream version such as "6.1.176"; "" if not known */
	char build_id[64];		 /* hex of the GNU build id; "" if none */
	char image_path[KTSTR_KERNEL_PATH]; /* bzImage; "" if only a vmlinux was given */
	char vmlinux_path[KTSTR_KERNEL_PATH];
	char config_path[KTSTR_KERNEL_PATH];  /* "" if none */
	char modules_path[KTSTR_KERNEL_PATH]; /* folder of NN-name.ko to load first; "" if none */
	enum ktstr_kernel_fact sched_ext, btf, schedstats;
	uint32_t hz;	     /* 0 if not known */
	bool pvh;	     /* QEMU can enter vmlinux directly; else only image_path boots */
	bool cached;	     /* lies in the cache */
	bool imported;	     /* in the cache because a file was given, not by a fetch */
	uint64_t size_bytes; /* on disk; 0 if not cached */
};

/**
 * ktstr_kernel_resolve() - turn what a user wrote after --kernel into files.
 * @spec:	a cached name, a version ("7.3", "7.3.4": newest cached that matches), a bzImage, a
 *		vmlinux, or a build tree; NULL: newest cached with sched_ext, else the newest
 *		cached, else the running host's own image if readable
 * @ret_kernel:	written on success; vmlinux_path always names an existing file (a bzImage outside
 *		the cache is unpacked into the cache once, by content)
 * @err:	filled on failure, naming the command that mends it; may be NULL
 *
 * Return: 0, -ENOENT (nothing found), -ENOEXEC (not a kernel), -EINVAL (truncated or damaged),
 * -EXDEV (a kernel for another architecture), -ENOTSUP (compression without a program here).
 */
KTSTR_API int ktstr_kernel_resolve(const char *spec, struct ktstr_kernel *ret_kernel,
				   struct ktstr_error *err) KTSTR_MUST_CHECK;

/**
 * ktstr_kernel_config() - ask a kernel's config about one option.
 * @kernel:	resolved
 * @option:	"CONFIG_X" or "X"
 *
 * Return: YES for =y and =m, NO for absent or "is not set", UNKNOWN without a config.
 */
KTSTR_API enum ktstr_kernel_fact ktstr_kernel_config(const struct ktstr_kernel *kernel,
						     const char *option);

/**
 * ktstr_kernel_list() - every kernel in the cache, newest version first.
 * @ret_kernels: malloc'ed array, the caller's to free; NULL if there are none
 * @err:	filled on failure; may be NULL
 *
 * Damaged entries are left out with a warning in the log.
 *
 * Return: how many, or -errno.
 */
KTSTR_API int ktstr_kernel_list(struct ktstr_kernel **ret_kernels,
				struct ktstr_error *err) KTSTR_MUST_CHECK;

/**
 * ktstr_kernel_remove() - delete one kernel from the cache.
 * @name:	its cache name
 * @err:	filled on failure; may be NULL
 *
 * Return: 0, -ENOENT, -EBUSY (being fetched now), -errno.
 */
KTSTR_API int ktstr_kernel_remove(const char *name, struct ktstr_error *err) KTSTR_MUST_CHECK;

/**
 * ktstr_kernel_verify() - compare a cached kernel's files with their checksums.
 * @kernel:	resolved; one that is not cached has no checksums and passes
 * @err:	names the first file that differs; may be NULL
 *
 * Return: 0, -EINVAL (changed), -ENOENT (gone), -errno.
 */
KTSTR_API int ktstr_kernel_verify(const struct ktstr_kernel *kernel,
				  struct ktstr_error *err) KTSTR_MUST_CHECK;

/* A kernel that can be fetched. */
struct ktstr_kernel_offer {
	char package[KTSTR_KERNEL_NAME];
	char version[KTSTR_KERNEL_NAME]; /* kernel version such as "7.3.4" */
	char suite[64];
	bool sched_ext_likely; /* 6.12 and up by version; only the config tells */
};

/* Progress of a fetch: one short line each; called on the caller's thread. */
typedef void (*ktstr_kernel_progress_fn)(void *arg, const char *text);

/**
 * ktstr_kernel_offers() - what the host's own apt sources have, newest first.
 * @progress:	may be NULL
 * @arg:	handed to @progress
 * @ret_offers:	malloc'ed array, the caller's to free
 * @err:	filled on failure; may be NULL
 *
 * Return: how many, -ENOTSUP (no apt here: use --kernel with a file), -EIO (apt failed; its last
 * lines are in the text), -ENETUNREACH.
 */
KTSTR_API int ktstr_kernel_offers(ktstr_kernel_progress_fn progress, void *arg,
				  struct ktstr_kernel_offer **ret_offers,
				  struct ktstr_error *err) KTSTR_MUST_CHECK;

/**
 * ktstr_kernel_fetch() - bring one kernel into the cache.
 * @version:	"latest" or NULL (newest with sched_ext in the development and backports suites,
 *		where newer kernels appear first); else "7.3.4", "6.12", "6.1": the newest
 *		offer that starts with it
 * @progress:	may be NULL
 * @arg:	handed to @progress
 * @ret_kernel:	written on success
 * @err:	filled on failure; may be NULL
 *
 * A kernel that is there already needs no network for an exact version or name.  Parallel fetches
 * of one kernel wait for each other.  An interrupted fetch leaves nothing.
 * Package lists are asked for again after a day; if that fails, a cached kernel that fits is kept.
 *
 * Return: 0, -ENOENT (no such version on offer), -ENOSPC, -EINTR (ktstr_kernel_interrupt()), or as ktstr_kernel_offers().
 */
KTSTR_API int ktstr_kernel_fetch(const char *version, ktstr_kernel_progress_fn progress, void *arg,
				 struct ktstr_kernel *ret_kernel,
				 struct ktstr_error *err) KTSTR_MUST_CHECK;

/**
 * ktstr_kernel_interrupt() - make running and later fetches of this process give up.
 *
 * Safe to call in a signal handler.  ktstr_kernel_fetch(), ktstr_kernel_offers() and
 * ktstr_kernel_resolve() then stop their programs, remove what they began and return -EINTR.
 */
KTSTR_API void ktstr_kernel_interrupt(void);

#endif
