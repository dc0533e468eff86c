/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * need.h - what a run is expected to take of this machine.
 *
 * TCG runs all CPUs of a guest in one thread; KVM keeps as many host CPUs busy as the guest has, or
 * as there are.  A clone shares its template's pages, so it is counted with what it adds:
 * NEED_CLONE_BYTES and twice the test's files; a guest that is booted, with all its memory.
 */
#ifndef KTSTR_RUN_NEED_H
#define KTSTR_RUN_NEED_H

#include "run/admission.h"
#include "run/machine.h"
#include "run/settings.h"
#include <ktstr/test.h>

#define NEED_WORKER_BYTES MIB(16)
#define NEED_CLONE_BYTES  MIB(128)

struct need_opts {
	const struct settings *settings;
	const struct machine *machine; /* NULL: there is none */
	uint64_t program_bytes;	       /* size of the test program */
	uint32_t host_cpus;
};

/* @entry passed registry_check().  Pure. */
struct admission_need need_of(const struct need_opts *opts, const struct ktstr_entry *entry);

/* "1 CPU and 512 MiB of memory; there are 4 CPUs and 300 MiB" */
void need_explain(const struct admission_need *need, const struct admission_room *room,
		  struct ktstr_error *ret_text);

#endif
