/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * bpf_load.h - the collector's BPF part in the kernel, and passes of it.
 *
 * bpf_take() puts it there, with neither libbpf nor a look at the kernel's BTF from here: Linux
 * 5.17 and newer move field accesses themselves (docs/decisions/0011-how-the-collector-loads.md).
 * On 5.15 and 5.16 libbpf does it, if it is there (bpf_libbpf.h).  Each bpf_open() begins a pass
 * over all tasks, run by the reads of the descriptor.  Everything ends with the descriptors.
 */
#ifndef KTSTR_CTPROF_BPF_LOAD_H
#define KTSTR_CTPROF_BPF_LOAD_H

#include "bpf/ctprof_record.h"
#include <ktstr/error.h>

struct bpf_loaded {
	int config_fd, program_fd, link_fd; /* -1: none */
};

#define BPF_LOADED_INIT                                           \
	{                                                         \
		.config_fd = -1, .program_fd = -1, .link_fd = -1, \
	}
#define _cleanup_bpf_ __attribute__((cleanup(bpf_give)))

enum bpf_way { BPF_BY_KERNEL, BPF_BY_LIBBPF };

/* How the kernel of this @release ("5.15.100-1-amd64") is given the program.
 * Return: 0; -EOPNOTSUPP with the reason in @err: it is too old. */
int bpf_way_for(const char *release, enum bpf_way *ret_way,
		struct ktstr_error *err) KTSTR_MUST_CHECK;
/* How many threads must be there so that loading it takes no longer than reading them by procfs. */
unsigned int bpf_pays_from(const char *release);
/* Loads one in this way, whatever kernel this is.  Return: as bpf_take(). */
int bpf_load(enum bpf_way way, struct bpf_loaded *ret_loaded,
	     struct ktstr_error *err) KTSTR_MUST_CHECK;

/*
 * Takes the program an earlier capture of this process has given back, or loads it.  One capture at
 * a time uses it; it holds what is being put together.
 * Return: 0; -EOPNOTSUPP with the reason in @err, if this kernel or these privileges cannot do it.
 */
int bpf_take(struct bpf_loaded *ret_loaded, struct ktstr_error *err) KTSTR_MUST_CHECK;
/* Keeps it for the next capture of this process, or lets it go. */
void bpf_give(struct bpf_loaded *loaded);
/* Return: a descriptor to read; -errno. */
int bpf_open(const struct bpf_loaded *loaded, const struct ctprof_config *config) KTSTR_MUST_CHECK;

#endif
