/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * bpf_records.h - what the BPF part wrote, checked record by record, and turned into values.
 *
 * Nothing here opens a file or asks the kernel, and no byte is believed: lengths, counts and ends
 * of texts are checked before a record is handed on.
 */
#ifndef KTSTR_CTPROF_BPF_RECORDS_H
#define KTSTR_CTPROF_BPF_RECORDS_H

#include <stddef.h>

#include "bpf/ctprof_record.h"
#include "ctprof/snapshot.h"

enum {
	BPF_COMM_BYTES = 64,  /* proc_task_name() of the kernel cuts there */
	BPF_PATH_BYTES = 4096 /* longer ones are no paths for any system call */
};

/* One record; points into what was read. */
struct bpf_record {
	enum ctprof_kind kind;
	union {
		const struct ctprof_head *head;
		const struct ctprof_path *path;
		const struct ctprof_name *name;
		const struct ctprof_thread *thread;
		const struct ctprof_tail *tail;
	};
	const ctprof_u64 *mask; /* of a thread: thread->mask_words words */
	bool has_values;	/* of a thread: all of it is there */
};

/*
 * Cuts the next record off @bytes, which must be aligned to 8.  Return: 1; 0 at the end; -EBADMSG
 * (not as the BPF part writes it).
 */
int bpf_next_record(const unsigned char **bytes, size_t *len, struct bpf_record *ret_record);

/* The affinity of a thread that has values: mask_words words. */
static inline const ctprof_u64 *bpf_mask(const struct ctprof_thread *thread)
{
	return (const ctprof_u64 *)((const char *)thread + offsetof(struct ctprof_thread, values)) +
	       thread->nr_values;
}

/* What a thread is called where the kernel prints it. */
void bpf_comm(const struct ctprof_thread *thread, const struct ctprof_name *name,
	      char ret_comm[static BPF_COMM_BYTES]);

/* What must be known of the machine to make values of slots. */
struct bpf_units {
	int64_t boot_offset_ns;
	uint32_t page_bytes;
	bool has_statistics; /* kernel.sched_schedstats is on */
	bool has_irq;	     /* delays by interrupts are counted */
};

/*
 * Sets every value @r has, as /proc shows it.  utime and stime are worked out as the kernel does
 * for /proc/PID/task/TID/stat (cputime_adjust(), kernel/sched/cputime.c): its ticks, stretched to
 * the time the scheduler measured, and never less than what it showed before.
 */
void bpf_set_values(const struct ctprof_thread *r, const struct bpf_units *units,
		    struct ktstr_ctprof_thread *t);

/* A set of CPUs as a list such as 0-3,8; as many of @nr_cpus as fit.  Return: its length. */
size_t bpf_mask_text(const ctprof_u64 *mask, unsigned int nr_cpus, char *buf, size_t size);

/* --- paths of cgroups ----------------------------------------------------------------------- */
struct bpf_paths;

/* NULL: no memory. */
struct bpf_paths *bpf_paths_create(struct builder *builder);
void bpf_paths_destroy(struct bpf_paths *paths);

static inline void bpf_paths_destroyp(struct bpf_paths **paths)
{
	if (*paths)
		bpf_paths_destroy(*paths);
}

/* A pass begins; paths are shown as seen from this root, whose own is the first that comes. */
void bpf_paths_begin(struct bpf_paths *paths, ctprof_u64 root_cgroup);
/* Return: 0, -ENOMEM, -EBADMSG (parts out of order). */
int bpf_paths_add(struct bpf_paths *paths, const struct ctprof_path *part) KTSTR_MUST_CHECK;
/* Interned; NULL: unknown, or too deep or too long. */
const char *bpf_paths_find(const struct bpf_paths *paths, ctprof_u64 cgroup);

#endif
