/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * bpf_pass.h - a pass over all tasks, record by record.
 */
#ifndef KTSTR_CTPROF_BPF_PASS_H
#define KTSTR_CTPROF_BPF_PASS_H

#include "ctprof/bpf_load.h"
#include "ctprof/bpf_records.h"
#include "ctprof/collect.h"

/* Where bytes of passes stay, so that records can be kept.  Zeroed at first. */
struct bpf_store {
	struct bpf_piece *pieces; /* the one being filled first */
	size_t bytes;		  /* of all */
	size_t expected;	  /* bytes of all passes, roughly; 0: unknown */
};

void bpf_store_deinit(struct bpf_store *store);

/*
 * Calls @take for each record until it fails.  @store: keeps them; NULL: each is gone after @take.
 * Return: 0, -ENOMEM, -errno of reading or of @take; -EBADMSG (not as the BPF part writes it, or
 * something is missing).
 */
int bpf_pass(const struct bpf_loaded *loaded, const struct ctprof_config *config,
	     struct bpf_store *store, int (*take)(void *context, const struct bpf_record *record),
	     void *context) KTSTR_MUST_CHECK;

/*
 * A second, short look, after the memory of processes was read: each thread that is still the same
 * one, in the same program and memory, gets NOTE_SAME.  The builder must be sorted.
 * Return: 0, -errno.
 */
int bpf_identify(struct collect *c) KTSTR_MUST_CHECK;

#endif
