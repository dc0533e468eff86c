/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * bpf_roll.h - the threads that passes saw, before they are made threads of a snapshot.
 *
 * Records stay where they were read; the roll sorts their numbers only, which are a fiftieth of
 * what a thread of a snapshot holds.
 */
#ifndef KTSTR_CTPROF_BPF_ROLL_H
#define KTSTR_CTPROF_BPF_ROLL_H

#include "ctprof/bpf_pass.h"

struct bpf_sighting {
	const struct ctprof_thread *thread; /* with its values */
	const struct ctprof_name *name;	    /* NULL: it is called by its comm */
};

/* Zeroed at first. */
struct bpf_roll {
	struct bpf_store store;
	struct bpf_sighting *seen; /* as they came */
	size_t nr_seen, size;
	struct place *places; /* of seen, by tgid and tid once sorted */
	size_t nr;
};

void bpf_roll_deinit(struct bpf_roll *roll);
/* Both in the roll's store.  Return: 0, -ENOMEM, -E2BIG. */
int bpf_roll_add(struct bpf_roll *roll, const struct ctprof_thread *thread,
		 const struct ctprof_name *name) KTSTR_MUST_CHECK;
/* By tgid, then tid, and no thread twice: the first seen stays.  Return: 0, -ENOMEM. */
int bpf_roll_sort(struct bpf_roll *roll) KTSTR_MUST_CHECK;
/* The thread at place @i of the sorted roll; what follows it soon is fetched into the cache. */
const struct bpf_sighting *bpf_roll_at(const struct bpf_roll *roll, size_t i);
/* Where the process of place @first ends in the sorted roll.  @ret_leader: NULL if it has none. */
size_t bpf_roll_process(const struct bpf_roll *roll, size_t first,
			const struct bpf_sighting **ret_leader);

#endif
