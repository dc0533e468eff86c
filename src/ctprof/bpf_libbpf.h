/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * bpf_libbpf.h - the collector's BPF part for Linux 5.15 and 5.16, put into the kernel by libbpf.
 *
 * Those kernels do not move field accesses to where they have the fields; libbpf does it from the
 * kernel's BTF.  It is opened when it is needed and closed again, so nothing is linked against it
 * and newer kernels do without (docs/decisions/0013-the-collector-on-older-kernels.md).  The part
 * works on newer kernels too, except that a peak of resident memory may lack what CPUs count for
 * themselves (since 6.2).
 */
#ifndef KTSTR_CTPROF_BPF_LIBBPF_H
#define KTSTR_CTPROF_BPF_LIBBPF_H

#include "ctprof/bpf_load.h"

enum { BPF_LIBBPF_TEXT_BYTES = 160 };

/* The names libbpf goes by, ended by NULL; the API used is the same in all of them. */
extern const char *const bpf_libbpf_names[];

/*
 * Loads it with the first library of @names that is there, and fills all of @ret_loaded but the
 * link.  What libbpf has to say goes to @ret_what, cut to its size; nothing is printed.
 * Return: 0; -ELIBACC: there is no such library; -EBADMSG: it lacks a function, or the part is
 * damaged; -ENOMEM; what loading gave, such as -EPERM.
 */
int bpf_libbpf_load(const char *const *names, struct bpf_loaded *ret_loaded,
		    char ret_what[static BPF_LIBBPF_TEXT_BYTES]) KTSTR_MUST_CHECK;

#endif
