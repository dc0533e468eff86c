/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * vm.h - what this host can run virtual machines with, and one-off guests.
 */
#ifndef KTSTR_VM_H
#define KTSTR_VM_H

#include <stdbool.h>
#include <stdint.h>

#include <ktstr/error.h>
#include <ktstr/topology.h>

enum {
	KTSTR_QEMU_MIN_MAJOR = 7,
	KTSTR_QEMU_GOOD_MAJOR = 10,
	KTSTR_KERNEL_ARGS_BYTES = 1024 /* with the NUL */
};

struct ktstr_qemu {
	char path[512];
	uint32_t major, minor, micro;
	char version[64];
	char firmware_path[512]; /* qboot.rom; "" if missing: SeaBIOS serves */
};

enum ktstr_accel { KTSTR_ACCEL_AUTO, KTSTR_ACCEL_KVM, KTSTR_ACCEL_TCG };

/**
 * ktstr_qemu_find() - find QEMU for x86-64 and learn its version.
 * @path:	a file or a name; NULL: qemu-system-x86_64 in PATH
 * @ret_qemu:	written on success
 * @err:	filled on failure, naming the package to install; may be NULL
 *
 * Versions from KTSTR_QEMU_MIN_MAJOR to below KTSTR_QEMU_GOOD_MAJOR work within limits (a vCPU
 * may run up to 250 ms at a stretch); the caller warns.  The version of a program is remembered in the
 * cache folder as long as its file stays as it is; a script is asked each time.
 *
 * Return: 0, -ENOENT, -EACCES, -ENOTSUP (too old), -EPROTO (its --version was not understood).
 */
KTSTR_API int ktstr_qemu_find(const char *path, struct ktstr_qemu *ret_qemu,
			      struct ktstr_error *err) KTSTR_MUST_CHECK;

/**
 * ktstr_accel_probe() - can this host really boot a guest with KVM?
 * @qemu:	found
 * @kernel_spec: kernel to boot, as for ktstr_kernel_resolve()
 * @ret_accel:	KTSTR_ACCEL_KVM or KTSTR_ACCEL_TCG
 * @why:	receives one line on how that was decided; may be NULL
 * @err:	filled on failure; may be NULL
 *
 * Boots to the agent's hello within a bound.  The answer is kept in the cache folder per boot of
 * this host, QEMU and kernel; without /dev/kvm it is TCG at once.
 *
 * Return: 0 or -errno.
 */
KTSTR_API int ktstr_accel_probe(const struct ktstr_qemu *qemu, const char *kernel_spec,
				enum ktstr_accel *ret_accel, struct ktstr_error *why,
				struct ktstr_error *err) KTSTR_MUST_CHECK;

/**
 * ktstr_kernel_args_check() - can these words be added to a guest kernel's command line?
 * @text:	words with spaces between them, such as "isolcpus=1 preempt=full"
 * @err:	filled on failure, naming the word; may be NULL
 *
 * They come behind those of the runner, so that what the kernel takes last counts ("lsm=yama").  Words
 * that the runner lives by (console=, rdinit=, panic=, ktstr.x, ...) are refused, and "--".  What a
 * kernel makes of them is its own affair: one it does not know it passes over.
 *
 * Return: 0, -EINVAL (also for KTSTR_KERNEL_ARGS_BYTES or more).
 */
KTSTR_API int ktstr_kernel_args_check(const char *text, struct ktstr_error *err) KTSTR_MUST_CHECK;

/* A guest for one command or for a person.  A person's typing is no part of an exact run: a shell
 * in virtual time is for looking around. */
struct ktstr_guest_opts {
	const char *const *argv; /* command, NULL-terminated; NULL: an interactive shell */
	const char *kernel_spec;
	const char *qemu_path;
	struct ktstr_topology topology;
	uint64_t memory_bytes;	 /* 0: default */
	const char *kernel_args; /* more words for the kernel's command line; NULL: none */
	uint64_t timeout_ns;	 /* 0: none */
	bool exact;		 /* virtual time, as in exact runs; else live */
	bool cold;		 /* boot instead of cloning a template */
	const char *const
		*includes;    /* "HOST" or "HOST:/guest/path"; NULL-terminated; may be NULL */
	const char *keep_dir; /* keep the run's files here; NULL: removed afterwards */
};

/**
 * ktstr_guest_run() - run a command or a shell in a fresh guest on this terminal.
 * @opts:	what to run
 * @ret_status:	exit status of the command, 128 + signal if it was killed
 * @err:	filled on failure; may be NULL
 *
 * The command's stdout and stderr go to this process's.  A name without '/' that is not an
 * included file is looked up in the guest (busybox).  The terminal is restored on every path.
 *
 * Return: 0, -EINTR (Ctrl-C), -ETIMEDOUT, -ENOENT, -EIO (guest broke; the text says how).
 */
KTSTR_API int ktstr_guest_run(const struct ktstr_guest_opts *opts, int *ret_status,
			      struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
