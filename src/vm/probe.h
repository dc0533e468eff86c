/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * probe.h - what ktstr_accel_probe() does, with the host's parts as arguments.
 *
 * An answer is kept in CACHE/accel/KEY, where KEY is a checksum of host boot, QEMU and kernel.
 * The file repeats what it is about, and counts only if that fits; it is text:
 *
 *	ktstr accel 1
 *	host BOOT-ID
 *	qemu PATH VERSION
 *	kernel RELEASE VMLINUX
 *	kvm | tcg
 *	why ONE LINE
 */
#ifndef KTSTR_VM_PROBE_H
#define KTSTR_VM_PROBE_H

#include <ktstr/kernel.h>
#include <ktstr/vm.h>

struct probe_opts {
	const struct ktstr_qemu *qemu;
	const struct ktstr_kernel *kernel;
	const char *kvm_path; /* "/dev/kvm" */
	const char *cache_dir;
	const char *boot_id;
	uint64_t limit_ns; /* to the agent's hello */
};

/* Return: 0 or -errno; a guest that does not come up is an answer, not an error. */
int probe_accel(const struct probe_opts *opts, enum ktstr_accel *ret_accel, struct ktstr_error *why,
		struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
