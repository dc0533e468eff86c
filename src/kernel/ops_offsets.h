/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * ops_offsets.h - where a kernel keeps the operations of an attached sched_ext scheduler.
 *
 * A scheduler's operations are the value of a BPF map of type STRUCT_OPS, a struct
 * bpf_struct_ops_sched_ext_ops of the kernel: in place of each function pointer stands the number of its
 * program, 0 for none.  Where its members are differs between kernels, and only the kernel's BTF tells.
 * Since Linux 7.3 there is a second form, sched_ext_ops_cid.
 *
 * What is found here goes to the guest in the job (scenario/model.h), as one object of numbers:
 *
 *	{ "sched_ext_ops": 68504, "sched_ext_ops.name": 424, "sched_ext_ops.enqueue": 72, ... }
 *
 * the type's number in the BTF, the offset of the scheduler's name, and that of each operation, in bytes
 * from the beginning of the map's value.  sched/implemented.h reads it.
 */
#ifndef KTSTR_KERNEL_OPS_OFFSETS_H
#define KTSTR_KERNEL_OPS_OFFSETS_H

#include <jansson.h>

#include <ktstr/error.h>

enum { OPS_OFFSETS_MAX = 256 }; /* members of such a struct */

/*
 * @vmlinux: path of a kernel's ELF file with a .BTF section; @ret_offsets is the caller's.
 * Return: 0; -ENOTSUP (no BTF, or no sched_ext in it); -EBADMSG (damaged); -ENOMEM; -errno of open.
 */
int ops_offsets_read(const char *vmlinux, json_t **ret_offsets,
		     struct ktstr_error *err) KTSTR_MUST_CHECK;
/* The same from the section's bytes. */
int ops_offsets_from_btf(const void *bytes, size_t length, json_t **ret_offsets,
			 struct ktstr_error *err) KTSTR_MUST_CHECK;

#endif
